/* Creates a CSV file of all resources from the page's data. */
const HEADS = ['account', 'account-name', 'region', 'resource', 'resource-name', 'flow-log', 'state', 'newest-object-age-seconds',
  'reason', 'exception-reason', 'exception-until'];
/* Control characters, and characters that change the direction of text. */
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/* Prefixes text that a spreadsheet would treat as a formula with an apostrophe. Source: "CSV Injection" (OWASP), RFC 4180. */
const csvCell = (value) => {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = value.replace(CONTROLS, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`);
  const marked = /^[=+\-@]/.test(text) ? `'${text}` : text;
  return /[,"\n]/.test(text) ? `"${marked.replaceAll('"', '""')}"` : marked;
};

const csvRows = () => accounts.flatMap((account) => {
  const row = (...rest) => [account.id, account.name, ...rest];
  if (account.why) return [row(null, null, null, null, 'excluded', null, account.why)];
  const logged = account.packed.map(flowLog).map((log) => row(data.regions[log.region], log.resource, log.name, log.id,
    state(log.state), log.age, log.reason, ...(log.exception ? [log.exception[1], log.exception[0]] : [])));
  const excluded = account.excluded.map(excludedVpc).map((it) =>
    row(data.regions[it.region], it.vpc, it.name, null, 'excluded', null, it.reason));
  return [...logged, ...excluded];
});

const download = () => {
  const lines = [HEADS, ...csvRows()].map((row) => HEADS.map((_, n) => csvCell(row[n])).join(','));
  /* The byte order mark makes spreadsheets read the file as UTF-8. */
  const blob = new Blob([`\ufeff${lines.join('\r\n')}\r\n`], { type: 'text/csv;charset=utf-8' });
  const href = URL.createObjectURL(blob);
  const anchor = make('a', { href, download: `flowagg-${data.bucket}-${data.made.slice(0, 10)}.csv` });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
};
