/* The row of an account, and its details. */
const counted = (logs) => logs.map((n, i) => n ? `${number(n)} ${data.states[i]}` : '').filter(Boolean).join(', ')
  || 'no flow logs';
/* The last state: nothing to log. */
const NONE = data.states.length - 1;
const word = (n) => make('span', { class: `word ${state(n)}` }, state(n));

const PAGES = {
  vpc: ['vpc', 'VpcDetails:VpcId'],
  subnet: ['vpc', 'SubnetDetails:subnetId'],
  tgw: ['vpc', 'TransitGatewayDetails:transitGatewayId'],
  eni: ['ec2', 'NetworkInterface:networkInterfaceId'],
};
/* Links a resource to the console of its region. The reader may be signed in to another account. */
const link = (resource, region) => {
  const page = PAGES[resource.slice(0, resource.indexOf('-'))];
  if (!page) return make('code', {}, resource);
  const [service, fragment] = page;
  const query = `region=${encodeURIComponent(region)}#${fragment}=${encodeURIComponent(resource)}`;
  const href = `https://${encodeURIComponent(region)}.${data.console}/${service}/home?${query}`;
  return make('a', { href, target: '_blank', rel: 'noopener noreferrer' }, resource);
};

const cell = (label, ...children) => make('td', { 'data-label': label }, ...children);

/* The resources of an account in a region, below a heading for the region. */
const ofRegion = (account, it, n) => {
  const logs = account.packed.map(flowLog).filter((log) => log.region === n);
  const name = data.regions[n];
  const until = (exception) => make('span', { class: 'exception' }, ` (exception until ${exception[0]}: ${exception[1]})`);
  const rows = logs.filter((log) => log.resource).map((log) => make('tr', {},
    make('th', { scope: 'row' }, link(log.resource, name)),
    cell('Name', log.name || 'none'),
    cell('Flow log', log.id || 'none'),
    cell('State', word(log.state)),
    cell('Newest', age(log.age)),
    cell('Reason', log.reason, log.exception ? until(log.exception) : null)));
  const unread = logs.find((log) => !log.resource);
  const amounts = `${few(it.objects, 'object', 'objects')}, ${bytes(it.bytes)}, newest ${age(it.age)}`;
  return make('tbody', {},
    make('tr', {}, make('th', { class: 'region', scope: 'rowgroup', colspan: HEADINGS.length },
      make('strong', {}, name), ' ', word(it.state), make('span', { class: 'times' }, ` ${amounts}`),
      unread ? make('span', {}, ` ${unread.reason}, so its resources are unknown`) : null,
      unread && unread.exception ? until(unread.exception) : null)),
    ...rows);
};

const HEADINGS = ['Resource', 'Name', 'Flow log', 'State', 'Newest', 'Reason'];
const details = (account, columns) => {
  const shown = account.regions.map((it, n) => it.state === NONE && it.objects === 0 ? null : ofRegion(account, it, n));
  const groups = shown.filter(Boolean);
  const quiet = data.regions.filter((_, n) => shown[n] === null);
  const days = account.days.map(([objects, size], n) => make('li', {}, make('span', {}, data.days[n]),
    ` ${few(objects, 'object', 'objects')}, ${bytes(size)}`));
  const excluded = account.excluded.map(excludedVpc).map((it) => make('li', {}, link(it.vpc, data.regions[it.region]),
    `${it.name ? ` (${it.name})` : ''} in ${data.regions[it.region]}: ${it.reason}`));
  const heads = HEADINGS.map((label) => make('th', { scope: 'col' }, label));
  return make('tr', { class: 'more' }, make('td', { colspan: columns },
    account.why ? make('p', {}, `Excluded: ${account.why}.`) : null,
    groups.length === 0 ? null : make('table', { class: 'resources' },
      make('caption', { class: 'sr' }, `Resources of ${account.name || account.id}`),
      make('thead', {}, make('tr', {}, ...heads)), ...groups),
    quiet.length && !account.why ? make('p', {}, `Nothing to log in ${quiet.join(', ')}.`) : null,
    excluded.length === 0 ? null : make('details', { class: 'excluded' },
      make('summary', {}, few(excluded.length, 'excluded VPC', 'excluded VPCs')), make('ul', {}, ...excluded)),
    make('p', {}, 'Newest object: ', account.key ? make('code', {}, account.key) : 'none'),
    make('details', { class: 'days' }, make('summary', {}, 'Objects by day'), make('ul', {}, ...days))));
};

const line = (account, columns) => {
  const button = make('button', { type: 'button', class: 'account', 'aria-expanded': 'false' },
    make('span', {}, account.name || account.id), account.name ? make('span', { class: 'id' }, account.id) : null);
  const row = make('tr', { 'data-account': account.id },
    make('th', { scope: 'row' }, button), make('td', {}, word(account.state)));
  button.addEventListener('click', () => {
    const open = button.getAttribute('aria-expanded') === 'true';
    button.setAttribute('aria-expanded', String(!open));
    if (open) row.nextElementSibling.remove();
    else row.after(details(account, columns));
  });
  account.regions.forEach((it, n) => {
    const name = state(it.state);
    const [label, title] = [name, `${data.regions[n]}: ${name}, ${counted(it.logs)}`];
    const letter = data.letters[it.state];
    row.append(make('td', { class: 'cell wide', title, 'aria-label': label },
      it.state === NONE ? letter : make('span', { class: `s ${name}` }, letter)));
  });
  const bars = account.days.map(([objects, size, heat], n) => make('span', {
    class: `h h${heat}`, title: `${data.days[n]}: ${few(objects, 'object', 'objects')}, ${bytes(size)}`,
  }));
  row.append(
    make('td', { class: 'wide' }, make('span', { class: 'bars', 'aria-hidden': 'true' }, ...bars)),
    make('td', { class: 'number' }, age(account.age)),
    make('td', { class: 'number wide' }, number(account.objects)),
    make('td', { class: 'number wide' }, bytes(account.bytes)));
  return row;
};
