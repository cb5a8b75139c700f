// Opens reports in headless Chromium and compares the pages with their JSON values.
//
//   node check.mjs FOLDER NAME...
//
// Reads FOLDER/NAME.html and FOLDER/NAME.json, and writes screenshots to FOLDER/NAME-light.png and FOLDER/NAME-dark.png. If a check
// fails, prints it and exits with 1.

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import chromium from '@sparticuz/chromium';
import puppeteer from 'puppeteer-core';
import { VIEWPORT, WIDTHS, layout, looksRight } from './layout.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
// Maximum size of a page in bytes, for 5,000 accounts with 30,000 flow logs.
const LARGEST = 10_000_000;
// Maximum time of a search in milliseconds, from the key press to the drawn rows.
const SLOWEST = 200;
// The screenshot also shows the first accounts.
const PICTURE = { width: 1440, height: 1480 };
// For containers without a sandbox. The package's other default arguments disable security features of the page.
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--font-render-hinting=none', '--hide-scrollbars'];

const number = (text) => Number(text.replaceAll(',', ''));
const comma = (n) => n.toLocaleString('en-US');
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

/** Opens a page and records console messages, errors and requests for anything but the file. */
const open = async (browser, url, complaints) => {
  const page = await browser.newPage();
  await page.setViewport(VIEWPORT);
  page.on('console', (message) => complaints.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`error: ${error}`));
  page.on('request', (request) => {
    if (request.url() !== url && !request.url().startsWith('data:')) complaints.push(`request: ${request.url()}`);
  });
  return page;
};

const texts = (page, selector) => page.$$eval(selector, (all) => all.map((one) => one.firstChild.textContent));
const rows = (page) => page.$$eval('tr[data-account]', (all) => all.map((row) => row.dataset.account));
/** Sets "Problems only", and returns its previous value. */
const problemsOnly = (page, wanted) => page.$eval('#problems', (problems, wanted) => {
  const before = problems.checked;
  if (before !== wanted) problems.click();
  return before;
}, wanted);
const searchFor = (page, text) => page.$eval('#search', (input, text) => {
  input.value = text;
  input.dispatchEvent(new Event('input'));
}, text);

/** Compares the numbers of the page with the value. */
const counts = async (page, value) => {
  const { totals } = value;
  const tile = async (id) => number((await texts(page, `#t-${id} .value`))[0]);
  const share = ({ count, of, percent }) => percent === null ? [`${comma(count)} of ${comma(of)}`] : [`${percent} %`, `${comma(count)} of ${comma(of)}`];
  const shares = { resources: totals.coverage.resources, 'flow-logs': totals.coverage['flow-logs'] };
  for (const [id, of] of Object.entries(shares)) {
    const text = await page.$eval(`#t-${id}`, (tile) => tile.innerText);
    for (const part of share(of)) assert.ok(text.includes(part), `${part} in ${text}`);
  }
  assert.equal(await tile('accounts'), totals.accounts);
  assert.equal(await tile('objects'), totals.objects);
  const isOpen = (finding) => finding.places.some((place) => place.exception === null);
  assert.equal(await tile('findings'), value.findings.filter(isOpen).length);
  const audit = await page.$eval('#audit', (audit) => audit.innerText);
  for (const fact of [value['made-by'].arn, value['made-by'].version, value.expiry, value.encryption.algorithm, ...value.regions]) {
    assert.ok(audit.includes(fact), fact);
  }
  assert.equal((await page.$$('details.finding')).length, value.findings.length);
  for (const [state, places] of Object.entries({ ...totals['account-regions'], none: totals['nothing-to-log'] })) {
    assert.equal(number((await texts(page, `#c-${state}`))[0]), places, state);
  }

  // Initially only accounts with open problems are shown. If there are none, the switch is off.
  const open = value.findings.filter((it) => ['reading', 'delivery'].includes(it.about)).flatMap((it) => it.places);
  const troubled = new Set(open.filter((place) => place.exception === null).map((place) => place.account));
  await page.$eval('#all', (all) => all.hidden || all.click());
  const problems = await problemsOnly(page, false);
  assert.equal(problems, troubled.size > 0);
  await problemsOnly(page, problems);
  await page.$eval('#all', (all) => all.hidden || all.click());
  assert.equal((await rows(page)).length, troubled.size || value.accounts.length);
  await problemsOnly(page, false);

  // Every row, every cell.
  await page.$eval('#all', (all) => all.hidden || all.click());
  const found = await page.$$eval('tr[data-account]', (all) => all.map((row) => ({
    account: row.dataset.account,
    state: row.cells[1].textContent,
    regions: [...row.querySelectorAll('td.cell')].map((cell) => cell.ariaLabel),
    objects: row.cells[row.cells.length - 2].textContent,
  })));
  const wanted = value.accounts.map((account) => ({
    account: account.account,
    state: account.state ?? 'none',
    regions: account.regions.map((region) => region.state ?? 'none'),
    objects: account.objects.toLocaleString('en-US'),
  }));
  const byId = (a, b) => (a.account < b.account ? -1 : 1);
  assert.deepEqual(found.sort(byId), wanted.sort(byId));
  const units = new Set(value.accounts.map((account) => account.unit));
  assert.equal((await page.$$('th.group')).length, units.size);
};

/** Checks the CSV file: a line for each resource, each excluded VPC, each region that could not be read, and each excluded account. */
const csv = async (page, value) => {
  const text = await page.evaluate(() => new Promise((done) => {
    const make = URL.createObjectURL;
    const click = HTMLAnchorElement.prototype.click;
    let name = null;
    HTMLAnchorElement.prototype.click = function () { name = this.download; };
    URL.createObjectURL = (blob) => { blob.arrayBuffer().then((bytes) => done([name, new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)])); return make(blob); };
    document.getElementById('csv').click();
    [URL.createObjectURL, HTMLAnchorElement.prototype.click] = [make, click];
  }));
  const [name, file] = text;
  assert.match(name, /^flowagg-acme-flow-logs-2026-11-23\.csv$/);
  const lines = file.split('\r\n');
  assert.ok(lines[0].startsWith('\ufeffaccount,account-name,region,resource,'), lines[0]);
  assert.equal(lines.pop(), '');
  const unread = value.accounts.flatMap((it) => it.regions).filter((it) => it.state === 'unknown' && sum(Object.values(it['flow-logs'])) === 0);
  const excluded = value.accounts.flatMap((it) => it['excluded-vpcs']);
  const wanted = sum(value.accounts.map((it) => it['flow-logs'].length)) + unread.length + excluded.length
    + value.accounts.filter((it) => it.why).length;
  assert.ok(excluded.length > 0);
  for (const it of excluded.slice(0, 50)) {
    assert.ok(lines.some((line) => line.includes(`${it.region},${it.vpc},,,excluded,,"default VPC, `)), it.vpc);
  }
  assert.equal(lines.length - 1, wanted);
  const formulas = lines.filter((line) => line.split(',').some((cell) => /^[=+\-@]/.test(cell)));
  assert.deepEqual(formulas, [], 'a spreadsheet would run this cell as a formula');
  assert.equal(file.split("'@").length - 1, value.accounts.flatMap((it) => it['flow-logs']).filter((it) => it['resource-name']?.startsWith('@')).length);
  for (const log of value.accounts.flatMap((it) => it['flow-logs']).slice(0, 50)) {
    assert.ok(lines.some((line) => line.includes(log.resource) && line.includes(log['flow-log'] ?? 'missing')), log.resource);
  }
};

/** Uses search, state filter, sorting, groups and expanded rows, partly by keyboard. */
const works = async (page, value) => {
  await problemsOnly(page, false);
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip', 'the first tab stop skips the header');
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'search');
  const one = value.accounts[value.accounts.length - 1];
  await page.keyboard.type(one.account);
  assert.deepEqual(await rows(page), [one.account]);
  await page.keyboard.press('Escape');
  assert.match((await texts(page, '#shown'))[0], new RegExp(`of ${value.accounts.length.toLocaleString('en-US')}$`));

  await searchFor(page, 'staging');
  const staging = value.accounts.filter((account) => `${account.name} ${account.unit}`.includes('staging'));
  assert.equal(number((await texts(page, '#shown'))[0].split(' ')[0]), staging.length);
  await searchFor(page, '');

  const states = await page.$$eval('#state option', (all) => all.map((option) => [option.value, option.textContent]));
  const [silent] = states.find(([, word]) => word === 'silent');
  await page.select('#state', silent);
  const quiet = value.accounts.filter((it) => it.state === 'silent' || it.regions.some((at) => at.state === 'silent'));
  assert.equal(number((await texts(page, '#shown'))[0].split(' ')[0]), quiet.length);
  await page.select('#state', '');

  await page.select('#group', '');
  await page.$eval('th[data-by="objects"] button', (button) => button.click());
  const most = [...value.accounts].sort((a, b) => b.objects - a.objects || (a.account < b.account ? -1 : 1));
  assert.deepEqual((await rows(page)).slice(0, 20), most.map((it) => it.account).slice(0, 20));
  assert.equal(await page.$eval('th[data-by="objects"]', (head) => head.getAttribute('aria-sort')), 'descending');
  await page.$eval('th[data-by="objects"] button', (button) => button.click());
  assert.equal(await page.$eval('th[data-by="objects"]', (head) => head.getAttribute('aria-sort')), 'ascending');

  const shown = await rows(page);
  await page.focus('button.account');
  await page.keyboard.press('Enter');
  const first = value.accounts.find((it) => it.account === shown[0]);
  const links = await page.$$eval('tr.more tbody a', (all) => all.map((a) => a.href));
  assert.deepEqual(links, first['flow-logs'].map((log) =>
    `https://${log.region}.console.aws.amazon.com/vpc/home?region=${log.region}#VpcDetails:VpcId=${log.resource}`));
  const opened = await page.$eval('tr.more', (row) => row.innerText);
  for (const log of first['flow-logs']) {
    for (const part of [log['resource-name'], log['flow-log'], log.state, log.message, log.exception?.reason]) {
      assert.ok(!part || opened.includes(part), part);
    }
  }
  assert.equal(await page.$eval('button.account', (button) => button.getAttribute('aria-expanded')), 'true');
  await page.select('#group', 'unit');
  await page.$eval('th[data-by="account"] button', (button) => button.click());
};

const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

/** Violations that axe-core rates serious or critical, and the number of others. */
const faults = async (page) => {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  const grave = violations.filter((violation) => ['serious', 'critical'].includes(violation.impact));
  return {
    grave: grave.map((it) => `${it.id}: ${it.help}: ${it.nodes.slice(0, 3).map((node) => node.html).join(' ')}`),
    rest: violations.length - grave.length,
  };
};

const inEachTheme = async (page, folder, name) => {
  const summary = [];
  const grounds = new Set();
  for (const theme of ['light', 'dark']) {
    await page.emulateMediaFeatures([
      { name: 'prefers-color-scheme', value: theme }, { name: 'prefers-reduced-motion', value: 'reduce' },
    ]);
    grounds.add(await ground(page));
    await page.evaluate(() => scrollTo(0, 0));
    await page.setViewport(PICTURE);
    await page.screenshot({ path: join(folder, `${name}-${theme}.png`) });
    await page.setViewport(VIEWPORT);
    await page.$$eval('details.finding', (all) => all.forEach((one) => { one.open = true; }));
    await page.$eval('button.account', (button) => button.click());
    const { grave, rest } = await faults(page);
    assert.deepEqual(grave, [], `axe-core in ${theme}`);
    summary.push(`${rest} minor in ${theme}`);
    await page.$eval('button.account', (button) => button.click());
    await page.$$eval('details.finding', (all) => all.forEach((one) => { one.open = false; }));
  }
  assert.equal(grounds.size, 2, 'light and dark have the same background');
  return summary.join(', ');
};

/** The button switches the theme regardless of the system setting. Print shows the selected rows and every finding. */
const elsewhere = async (page, value, file) => {
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
  const before = await ground(page);
  await page.click('#theme');
  assert.notEqual(await ground(page), before);
  await page.reload();
  assert.notEqual(await ground(page), before, 'the theme is remembered');
  await page.click('#theme');
  await problemsOnly(page, false);
  await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
  assert.equal((await rows(page)).length, value.accounts.length, 'print shows a row for every selected account');
  assert.equal((await page.$$('details.finding:not([open])')).length, 0, 'print shows every finding open');
  await page.evaluate(() => dispatchEvent(new Event('afterprint')));
  await page.reload();
  await page.pdf({ path: file, preferCSSPageSize: true, timeout: 300_000 });
};

/** Checks totals and findings without JavaScript. */
const plain = async (browser, url, value, complaints) => {
  const page = await open(browser, url, complaints);
  await page.setJavaScriptEnabled(false);
  await page.goto(url);
  const places = await page.$$eval('noscript td:last-child', (all) => all.map((cell) => Number(cell.textContent)));
  assert.equal(sum(places), value.accounts.length * value.regions.length);
  assert.deepEqual(await layout(page), [], 'without JavaScript');
  assert.equal((await page.$$('details.finding')).length, value.findings.length);
  await page.close();
};

/** The time of the slowest of several searches over all accounts, in milliseconds. */
const slowest = async (page) => {
  await problemsOnly(page, false);
  const taken = await page.evaluate(() => ['s', 'st', 'vpc-0', 'vpc-00000000000', 'no such account', 'platform fl-0', ''].map((text) => {
    const search = document.getElementById('search');
    const start = performance.now();
    search.value = text;
    search.dispatchEvent(new Event('input'));
    search.getBoundingClientRect();
    return performance.now() - start;
  }));
  return Math.max(...taken);
};

const check = async (browser, folder, name) => {
  const file = resolve(folder, `${name}.html`);
  const url = pathToFileURL(file).href;
  const value = JSON.parse(readFileSync(resolve(folder, `${name}.json`), 'utf8'));
  const size = statSync(file).size;
  assert.ok(size <= LARGEST, `the page has ${size} bytes`);
  const complaints = [];
  const page = await open(browser, url, complaints);
  await page.goto(url, { waitUntil: 'load' });
  const [ready, loaded] = await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done([
    performance.getEntriesByName('report-ready')[0].startTime,
    performance.getEntriesByType('navigation')[0].loadEventEnd,
  ])))));
  const minor = await inEachTheme(page, folder, name);
  await counts(page, value);
  await page.reload({ waitUntil: 'load' });
  await works(page, value);
  await csv(page, value);
  await page.reload({ waitUntil: 'load' });
  await looksRight(page);
  await page.reload({ waitUntil: 'load' });
  const searched = await slowest(page);
  assert.ok(searched < SLOWEST, `a search takes ${searched.toFixed(0)} ms`);
  await elsewhere(page, value, join(folder, `${name}.pdf`));
  await page.close();
  await plain(browser, url, value, complaints);
  assert.deepEqual(complaints, [], 'messages of the browser');
  console.log(`${value.accounts.length} accounts in ${value.regions.length} regions: ${(size / 1024).toFixed(0)} KiB, `
    + `table ready after ${ready.toFixed(0)} ms, loaded after ${loaded.toFixed(0)} ms, searched in ${searched.toFixed(0)} ms; `
    + `console empty; layout at ${WIDTHS.join(', ')} px and in print; `
    + `axe-core: nothing serious, ${minor}`);
};

const [folder, ...names] = process.argv.slice(2);
const browser = await puppeteer.launch({ executablePath: await chromium.executablePath(), args: ARGUMENTS, headless: 'shell' });
try {
  console.log(`${await browser.version()}`);
  for (const name of names) {
    // A new context, so that pages do not share storage.
    const context = await browser.createBrowserContext();
    await check(context, folder, name);
    await context.close();
  }
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await browser.close();
}
