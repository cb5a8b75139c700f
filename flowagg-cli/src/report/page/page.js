(() => {
  'use strict';
  const CHUNK = 60;
  const data = JSON.parse(document.getElementById('data').textContent);
  const at = (id) => document.getElementById(id);

  /* An element: text stays text, whatever it says. */
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
  const short = (n) => scaled(n, 1000, ['', 'k', 'M', 'G', 'T', 'P', 'E'], '');
  const bytes = (n) => scaled(n, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'], ' ');
  const age = (s) => s === null ? 'none'
    : s < 120 ? `${s} s` : s < 7200 ? `${Math.floor(s / 60)} min`
    : s < 172800 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} days`;
  const few = (n, one, more) => `${number(n)} ${n === 1 ? one : more}`;

  const region = (packed) => {
    const [state, logs, objects, bytes, age] = Array.isArray(packed) ? packed : [packed, [], 0, 0, null];
    return { state, logs, objects, bytes, age };
  };
  const accounts = data.accounts.map((packed) => {
    const [id, name, unit, state, why, key, age, objects, size, days, regions] = packed;
    const full = { id, name, unit: unit < 0 ? '' : data.units[unit], state, why, key, age, objects, bytes: size, days };
    full.regions = regions.map(region);
    full.text = `${id} ${name || ''} ${full.unit} ${why || ''}`.toLowerCase();
    full.states = new Set(full.regions.map((it) => it.state));
    return full;
  });
  const flowLogs = (logs) => logs.map((n, i) => n ? `${number(n)} ${data.states[i]}` : '').filter(Boolean).join(', ')
    || 'no flow logs';

  /* How the rows are chosen, ordered and grouped. */
  const view = { text: '', state: '', group: data.units.length > 0, by: 'account', down: false };
  const KEYS = {
    account: (a) => (a.name || '').toLowerCase() + a.id,
    state: (a) => a.state,
    newest: (a) => a.age === null ? Infinity : a.age,
    objects: (a) => a.objects,
    bytes: (a) => a.bytes,
  };
  const chosen = () => {
    const words = view.text.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = accounts.filter((a) => words.every((word) => a.text.includes(word))
      && (view.state === '' || a.states.has(Number(view.state)) || a.state === Number(view.state)));
    const key = KEYS[view.by];
    const order = (a, b) => {
      const [x, y] = [key(a), key(b)];
      return (x < y ? -1 : x > y ? 1 : 0) * (view.down ? -1 : 1) || (a.id < b.id ? -1 : 1);
    };
    rows.sort(view.group ? (a, b) => (a.unit < b.unit ? -1 : a.unit > b.unit ? 1 : order(a, b)) : order);
    return rows;
  };

  const columns = 5 + data.regions.length + data.days.length;
  const state = (n) => data.states[n];

  const details = (account) => {
    const rows = account.regions.map((it, n) => make('tr', {},
      make('th', { scope: 'row' }, data.regions[n]),
      make('td', {}, make('span', { class: `word ${state(it.state)}` }, state(it.state))),
      make('td', {}, flowLogs(it.logs)),
      make('td', { class: 'number' }, number(it.objects)),
      make('td', { class: 'number' }, bytes(it.bytes)),
      make('td', { class: 'number' }, age(it.age))));
    const heads = ['region', 'state', 'flow logs', 'objects', 'bytes', 'newest'];
    return make('tr', { class: 'more' }, make('td', { colspan: columns },
      account.why ? make('p', {}, `Left out: ${account.why}.`) : null,
      make('p', {}, 'Newest object: ', account.key ? make('code', {}, account.key) : 'none'),
      make('table', {}, make('caption', { class: 'sr' }, `Regions of ${account.name || account.id}`),
        make('thead', {}, make('tr', {}, ...heads.map((head) => make('th', { scope: 'col' }, head)))),
        make('tbody', {}, ...rows))));
  };

  const line = (account) => {
    const button = make('button', { type: 'button', class: 'account', 'aria-expanded': 'false' },
      account.name || account.id, account.name ? make('span', { class: 'id' }, account.id) : null);
    const row = make('tr', { 'data-account': account.id },
      make('th', { scope: 'row' }, button),
      make('td', {}, make('span', { class: `word ${state(account.state)}` }, state(account.state))));
    button.addEventListener('click', () => {
      const open = button.getAttribute('aria-expanded') === 'true';
      button.setAttribute('aria-expanded', String(!open));
      if (open) row.nextElementSibling.remove();
      else row.after(details(account));
    });
    account.regions.forEach((it, n) => {
      const word = state(it.state);
      row.append(make('td', { class: 'cell', title: `${data.regions[n]}: ${word}, ${flowLogs(it.logs)}` },
        make('span', { class: `s ${word}` },
          make('span', { 'aria-hidden': 'true' }, data.letters[it.state]), make('span', { class: 'sr' }, word))));
    });
    account.days.forEach(([objects, size, heat], n) => {
      row.append(make('td', { class: 'cell', title: `${data.days[n]}: ${few(objects, 'object', 'objects')}, ${bytes(size)}` },
        make('span', { class: `h h${heat}` }, short(objects))));
    });
    row.append(make('td', { class: 'number' }, age(account.age)),
      make('td', { class: 'number' }, number(account.objects)),
      make('td', { class: 'number' }, bytes(account.bytes)));
    return row;
  };

  const table = at('table');
  const all = at('all');
  let rows = [];
  let shown = 0;
  let body = null;
  let unit = null;

  const append = (upTo) => {
    const fragment = document.createDocumentFragment();
    for (; shown < Math.min(upTo, rows.length); shown += 1) {
      const account = rows[shown];
      if (body === null || (view.group && account.unit !== unit)) {
        unit = account.unit;
        body = make('tbody', {});
        fragment.append(body);
        if (view.group) {
          const many = rows.filter((row) => row.unit === unit).length;
          body.append(make('tr', {}, make('th', { class: 'group', scope: 'rowgroup', colspan: columns },
            make('span', {}, unit || 'in no unit that is known',
              make('span', { class: 'times' }, few(many, 'account', 'accounts'))))));
        }
      }
      body.append(line(account));
    }
    table.append(fragment);
    all.hidden = shown >= rows.length;
    all.textContent = `Show all ${number(rows.length)} rows`;
  };

  const draw = () => {
    for (const old of [...table.tBodies]) old.remove();
    [rows, shown, body, unit] = [chosen(), 0, null, null];
    append(CHUNK);
    at('shown').textContent = `${few(rows.length, 'account', 'accounts')} of ${number(accounts.length)}`;
    for (const head of table.tHead.querySelectorAll('[data-by]')) {
      const by = head.dataset.by === view.by;
      head.setAttribute('aria-sort', by ? (view.down ? 'descending' : 'ascending') : 'none');
    }
  };

  const head = () => {
    const sortable = (by, label) => {
      const button = make('button', { type: 'button' }, label);
      button.addEventListener('click', () => {
        view.down = view.by === by ? !view.down : by === 'objects' || by === 'bytes' || by === 'newest';
        view.by = by;
        draw();
      });
      return make('th', { scope: 'col', rowspan: 2, 'data-by': by }, button);
    };
    const group = (label, span) => span ? make('th', { scope: 'colgroup', colspan: span }, label) : null;
    const narrow = (label, text, up) =>
      make('th', { scope: 'col', class: 'narrow', title: label }, make('span', up ? { class: 'up' } : {}, text));
    table.tHead.append(
      make('tr', {}, sortable('account', 'Account'), sortable('state', 'State'),
        group('State by region', data.regions.length), group('Objects by day (UTC)', data.days.length),
        sortable('newest', 'Newest'), sortable('objects', 'Objects'), sortable('bytes', 'Bytes')),
      make('tr', {}, ...data.regions.map((name) => narrow(name, name, true)),
        ...data.days.map((day) => narrow(day, day.slice(5), false))));
  };

  const tools = () => {
    const search = at('search');
    search.addEventListener('input', () => { view.text = search.value; draw(); });
    document.addEventListener('keydown', (event) => {
      const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
      if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        search.focus();
      } else if (event.key === 'Escape' && event.target === search) {
        search.value = '';
        search.dispatchEvent(new Event('input'));
      }
    });
    at('state').addEventListener('change', (event) => { view.state = event.target.value; draw(); });
    const group = at('group');
    group.value = view.group ? 'unit' : '';
    group.disabled = data.units.length === 0;
    group.addEventListener('change', () => { view.group = group.value === 'unit'; draw(); });
    all.addEventListener('click', () => append(rows.length));
    const scroll = at('scroll');
    scroll.addEventListener('scroll', () => {
      if (shown < rows.length && scroll.scrollTop + scroll.clientHeight * 2 > scroll.scrollHeight) append(shown + CHUNK);
    }, { passive: true });
  };

  const theme = () => {
    const button = at('theme');
    const root = document.documentElement;
    const wished = matchMedia('(prefers-color-scheme: dark)');
    const dark = () => root.dataset.theme ? root.dataset.theme === 'dark' : wished.matches;
    const tell = () => { button.textContent = dark() ? 'Light theme' : 'Dark theme'; };
    let kept = null;
    /* A page from a file may have no storage. */
    try { kept = localStorage.getItem('flowagg-theme'); } catch { kept = null; }
    if (kept === 'dark' || kept === 'light') root.dataset.theme = kept;
    button.hidden = false;
    button.addEventListener('click', () => {
      root.dataset.theme = dark() ? 'light' : 'dark';
      try { localStorage.setItem('flowagg-theme', root.dataset.theme); } catch { /* It lasts as long as the page. */ }
      tell();
    });
    wished.addEventListener('change', tell);
    tell();
  };

  /* On paper everything is there. */
  let opened = [];
  addEventListener('beforeprint', () => {
    append(rows.length);
    opened = [...document.querySelectorAll('details:not([open])')];
    for (const closed of opened) closed.open = true;
  });
  addEventListener('afterprint', () => { for (const open of opened) open.open = false; });

  head();
  tools();
  theme();
  draw();
  at('interactive').hidden = false;
  performance.mark('report-ready');
})();
