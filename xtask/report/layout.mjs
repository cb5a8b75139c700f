// Layout checks of a page: text that is cut off, overlaps other text or breaks within a word.

import assert from 'node:assert/strict';

export const VIEWPORT = { width: 1440, height: 1000 };
/** The widths of a phone, a laptop and a large screen. */
export const WIDTHS = [390, 1440, 1920];

/**
 * Layout errors of the visible text: outside its box, outside the window, overlapping, or broken within a word. A scrolling region
 * may hide text below its visible part, but not to its right.
 */
export const layout = (page) => page.evaluate(() => {
  const BOXES = 'td, th, li, dd, dt, p, h1, h2, h3, h4, button, summary, label, small, .value, .word, .badge';
  const LONG = 20;
  const wrong = [];
  const found = [];
  const area = document.getElementById('scroll');
  const scroll = getComputedStyle(area).overflowY === 'visible' ? null : area.getBoundingClientRect();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const name = (text) => JSON.stringify(text.trim().slice(0, 60));
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || parent.closest('script, style, noscript, option, .sr, .skip') || !parent.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = parent.closest(BOXES)?.getBoundingClientRect();
    for (const rect of range.getClientRects()) {
      if (rect.width < 1 || rect.height < 1) continue;
      // Reachable by scrolling.
      if (parent.closest('#scroll') && scroll && rect.bottom > scroll.bottom) continue;
      found.push({ rect, node });
      if (box && (rect.left < box.left - 2 || rect.right > box.right + 2 || rect.bottom > box.bottom + 3 || rect.top < box.top - 3)) {
        wrong.push(`outside its box: ${name(node.data)}`);
      }
      if (rect.left < -1 || rect.right > document.documentElement.clientWidth + 1) wrong.push(`outside the window: ${name(node.data)}`);
    }
    if (getComputedStyle(parent).writingMode !== 'horizontal-tb') continue;
    for (const { index, 0: word } of node.data.matchAll(/[\w,.]+/g)) {
      if (word.length > LONG) continue;
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const tops = new Set([...range.getClientRects()].filter((rect) => rect.width > 0).map((rect) => Math.round(rect.top)));
      if (tops.size > 1) wrong.push(`broken within a word: ${word} in ${name(node.data)}`);
    }
  }
  found.sort((a, b) => a.rect.top - b.rect.top);
  found.forEach((one, n) => {
    for (let m = n + 1; m < found.length && found[m].rect.top < one.rect.bottom - 3; m += 1) {
      const [a, b] = [one.rect, found[m].rect];
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 2 && down > 4 && one.node !== found[m].node) wrong.push(`overlap: ${name(one.node.data)} and ${name(found[m].node.data)}`);
    }
  });
  for (const element of document.querySelectorAll('body *')) {
    if (element.closest('.sr, select, svg') || getComputedStyle(element).display === 'inline') continue;
    if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0 && getComputedStyle(element).overflowX !== 'visible') {
      wrong.push(`${element.scrollWidth - element.clientWidth} px hidden: ${element.id || element.className || element.tagName}`);
    }
  }
  const overflow = document.documentElement.scrollWidth - innerWidth;
  if (overflow > 0) wrong.push(`${overflow} px wider than the window`);
  return [...new Set(wrong)];
});

/** Checks the layout at each width, in each theme, with closed and open rows and findings, and in print. */
export const looksRight = async (page) => {
  const opened = async (open) => {
    await page.$$eval('main details', (all, open) => all.forEach((one) => { one.open = open; }), open);
    await page.$$eval(`button.account[aria-expanded="${!open}"]`, (all) => all.slice(0, 3).forEach((one) => one.click()));
  };
  for (const width of WIDTHS) {
    await page.setViewport({ width, height: 1000 });
    for (const theme of ['light', 'dark']) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
      for (const open of [false, true]) {
        await opened(open);
        assert.deepEqual(await layout(page), [], `${width} px, ${theme}, ${open ? 'open' : 'closed'}`);
      }
      await opened(false);
    }
  }
  // Landscape A4 without margins.
  await page.setViewport({ width: 1047, height: 718 });
  await page.emulateMediaType('print');
  await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
  assert.deepEqual(await layout(page), [], 'in print');
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).color), 'rgb(24, 32, 44)', 'print uses dark text on a light background');
  await page.evaluate(() => dispatchEvent(new Event('afterprint')));
  await page.emulateMediaType(null);
  await page.setViewport(VIEWPORT);
};
