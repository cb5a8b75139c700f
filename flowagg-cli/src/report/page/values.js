const data = JSON.parse(document.getElementById('data').textContent);
const at = (id) => document.getElementById(id);

/* Creates an element. Children are inserted as text or elements, never as markup. */
const make = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
};

const number = (n) => n.toLocaleString('en-US');
const scaled = (n, step, units, gap) => {
  let unit = 0;
  while (unit + 1 < units.length && n >= step) { n /= step; unit += 1; }
  return (unit ? (Math.floor(n * 10) / 10).toFixed(1) : String(n)) + gap + units[unit];
};
const bytes = (n) => scaled(n, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'], ' ');
const age = (s) => s === null || s === undefined ? 'none'
  : s < 120 ? `${s} s` : s < 7200 ? `${Math.floor(s / 60)} min`
  : s < 172800 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} days`;
const few = (n, one, more) => `${number(n)} ${n === 1 ? one : more}`;
const state = (n) => data.states[n];

/* Units are paths such as `Workloads (ou-a1b2-11111111)/Production (ou-a1b2-22222222)`. Names are shown before IDs. */
const unitOf = (path) => {
  if (path === '') return { name: 'unknown organizational unit', ids: '' };
  const parts = path.split('/').map((part) => part.match(/^(.*\S) \(((?:ou|r)-[0-9a-z-]+)\)$/) || [part, part, null]);
  const name = parts.map(([, name]) => /^r-[0-9a-z]+$/.test(name) ? `root (${name})` : name).join(' / ');
  return { name, ids: parts.map(([, , id]) => id).filter(Boolean).join(' / ') };
};
const units = new Map(['', ...data.units].map((path) => [path, unitOf(path)]));

const region = (packed) => {
  const [state, logs, objects, bytes, age] = Array.isArray(packed) ? packed : [packed, [], 0, 0, null];
  return { state, logs, objects, bytes, age };
};
/* A flow log, a resource without a flow log, or a region that could not be read. */
const flowLog = ([region, state, resource, id, age, name, message, exception]) => ({
  region, state, resource, id, age, name,
  reason: data.messages[message] ?? data.meanings[state],
  exception: data.exceptions[exception],
});
/* A VPC that is not part of the fleet. */
const excludedVpc = ([region, vpc, why, name]) => ({ region, vpc, name, reason: data.exclusions[why] });
const accounts = data.accounts.map((packed) => {
  const [id, name, unit, state, why, key, age, objects, bytes, days, regions, problem, logs, excluded] = packed;
  const path = unit < 0 ? '' : data.units[unit];
  const all = regions.map(region);
  const words = [id, name, path, why, ...logs.flatMap(([, , resource, log, , name]) => [resource, log, name]),
    ...excluded.flatMap(([, vpc, , name]) => [vpc, name])];
  return {
    id, name, unit: path, state, why, key, age, objects, bytes, days, regions: all, problem: problem === 1, packed: logs, excluded,
    text: words.filter(Boolean).join(' ').toLowerCase(),
    states: new Set(all.map((it) => it.state)),
  };
});
