/* The controls and the initialization of the page. */
const tools = () => {
  const problems = at('problems');
  problems.checked = view.problems;
  problems.addEventListener('change', () => { view.problems = problems.checked; draw(); });
  const search = at('search');
  search.addEventListener('input', () => { view.text = search.value; draw(); });
  document.addEventListener('keydown', (event) => {
    const typing = event.target.type !== 'checkbox' && /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      search.focus();
    } else if (event.key === 'Escape' && event.target === search) {
      search.value = '';
      search.dispatchEvent(new Event('input'));
    }
  });
  at('state').addEventListener('change', (event) => { view.state = event.target.value; draw(); });
  const grouped = at('group');
  grouped.value = view.group ? 'unit' : '';
  grouped.disabled = data.units.length === 0;
  grouped.addEventListener('change', () => { view.group = grouped.value === 'unit'; draw(); });
  all.addEventListener('click', () => append(rows.length));
  const scroll = at('scroll');
  scroll.addEventListener('scroll', () => {
    if (shown < rows.length && scroll.scrollTop + scroll.clientHeight * 2 > scroll.scrollHeight) append(shown + CHUNK);
  }, { passive: true });
  /* In a narrow window, the page scrolls instead of the table. */
  addEventListener('scroll', () => {
    const isWhole = scroll.scrollHeight <= scroll.clientHeight + 1;
    if (shown < rows.length && isWhole && scroll.getBoundingClientRect().bottom < innerHeight * 2) append(shown + CHUNK);
  }, { passive: true });
  const csv = at('csv');
  csv.hidden = false;
  csv.addEventListener('click', download);
};

const theme = () => {
  const button = at('theme');
  const root = document.documentElement;
  const system = matchMedia('(prefers-color-scheme: dark)');
  const dark = () => root.dataset.theme ? root.dataset.theme === 'dark' : system.matches;
  const label = () => { button.textContent = dark() ? 'Light theme' : 'Dark theme'; };
  let kept = null;
  /* A page opened from a file may not have storage. */
  try { kept = localStorage.getItem('flowagg-theme'); } catch { kept = null; }
  if (kept === 'dark' || kept === 'light') root.dataset.theme = kept;
  button.hidden = false;
  button.addEventListener('click', () => {
    root.dataset.theme = dark() ? 'light' : 'dark';
    try { localStorage.setItem('flowagg-theme', root.dataset.theme); } catch { /* The choice is lost when the page is closed. */ }
    label();
  });
  system.addEventListener('change', label);
  label();
};

/* In print: all filtered rows, and all findings with their first occurrences. */
let opened = [];
addEventListener('beforeprint', () => {
  append(rows.length);
  opened = [...document.querySelectorAll('section > details:not([open]), .facts details:not([open])')];
  for (const closed of opened) closed.open = true;
});
addEventListener('afterprint', () => { for (const open of opened) open.open = false; });

drawHead();
tools();
theme();
draw();
at('interactive').hidden = false;
performance.mark('report-ready');
