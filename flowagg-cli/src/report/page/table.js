/* The account table: filters, sorts and groups rows. Rows are added while the reader scrolls. */
const CHUNK = 30;
const columns = 6 + data.regions.length;
const troubled = accounts.filter((account) => account.problem).length;
const view = { text: '', state: '', problems: troubled > 0, group: data.units.length > 0, by: 'account', down: false };
const KEYS = {
  account: (a) => (a.name || '').toLowerCase() + a.id,
  state: (a) => a.state,
  newest: (a) => a.age === null ? Infinity : a.age,
  objects: (a) => a.objects,
  bytes: (a) => a.bytes,
};

/* The rows that match, and the number of rows that only "Problems only" hides. */
const chosen = () => {
  const words = view.text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = accounts.filter((a) => words.every((word) => a.text.includes(word))
    && (view.state === '' || a.states.has(Number(view.state)) || a.state === Number(view.state)));
  const rows = found.filter((a) => a.problem || !view.problems);
  const key = KEYS[view.by];
  const order = (a, b) => {
    const [x, y] = [key(a), key(b)];
    return (x < y ? -1 : x > y ? 1 : 0) * (view.down ? -1 : 1) || (a.id < b.id ? -1 : 1);
  };
  const unit = (a) => units.get(a.unit).name + a.unit;
  rows.sort(view.group ? (a, b) => (a.unit === b.unit ? order(a, b) : unit(a) < unit(b) ? -1 : 1) : order);
  return [rows, found.length - rows.length];
};

const table = at('table');
const all = at('all');
let rows = [];
let shown = 0;
let body = null;
let group = null;

const append = (upTo) => {
  const fragment = document.createDocumentFragment();
  for (; shown < Math.min(upTo, rows.length); shown += 1) {
    const account = rows[shown];
    if (body === null || (view.group && account.unit !== group)) {
      group = account.unit;
      body = make('tbody', {});
      fragment.append(body);
      if (view.group) {
        const many = rows.filter((row) => row.unit === group).length;
        const { name, ids } = units.get(group);
        body.append(make('tr', {}, make('th', { class: 'group', scope: 'rowgroup', colspan: columns },
          make('span', {}, name, ids ? make('span', { class: 'id' }, ids) : null,
            make('span', { class: 'times' }, few(many, 'account', 'accounts'))))));
      }
    }
    body.append(line(account, columns));
  }
  table.append(fragment);
  all.hidden = shown >= rows.length;
  all.textContent = `Show all ${number(rows.length)} rows`;
};

const draw = () => {
  for (const old of [...table.tBodies]) old.remove();
  const [found, healthy] = chosen();
  [rows, shown, body, group] = [found, 0, null, null];
  append(CHUNK);
  const hidden = healthy > 0 ? `; ${number(healthy)} without problems hidden` : '';
  at('shown').textContent = `${few(rows.length, 'account', 'accounts')} of ${number(accounts.length)}${hidden}`;
  for (const head of table.tHead.querySelectorAll('[data-by]')) {
    const by = head.dataset.by === view.by;
    head.setAttribute('aria-sort', by ? (view.down ? 'descending' : 'ascending') : 'none');
  }
};

const drawHead = () => {
  const sortable = (by, label, wide) => {
    const button = make('button', { type: 'button' }, label);
    button.addEventListener('click', () => {
      view.down = view.by === by ? !view.down : by === 'objects' || by === 'bytes' || by === 'newest';
      view.by = by;
      draw();
    });
    return make('th', { scope: 'col', rowspan: 2, 'data-by': by, class: wide ? 'wide' : null }, button);
  };
  const days = data.days.length ? `${data.days[0].slice(5)} to ${data.days[data.days.length - 1].slice(5)}` : '';
  table.tHead.append(
    make('tr', {}, sortable('account', 'Account'), sortable('state', 'State'),
      data.regions.length
        ? make('th', { scope: 'colgroup', colspan: data.regions.length, class: 'wide' }, 'State by region') : null,
      make('th', { scope: 'col', rowspan: 2, class: 'wide' }, 'Objects by day', make('small', {}, days)),
      sortable('newest', 'Newest'), sortable('objects', 'Objects', true), sortable('bytes', 'Bytes', true)),
    make('tr', { class: 'wide' }, ...data.regions.map((name) =>
      make('th', { scope: 'col', class: 'narrow', title: name }, make('span', { class: 'up' }, name)))));
};
