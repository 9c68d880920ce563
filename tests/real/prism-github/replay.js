// Sends every recorded request to Prism and says what it thinks of it.
// node replay.js REQUESTS PRISM_URL OPERATIONS
const fs = require('fs');
const [, , requests, prism, operations] = process.argv;
const wanted = fs.readFileSync(operations, 'utf8').split('\n').filter(Boolean);
const templates = wanted.map((line) => {
  const [method, path] = line.split(' ');
  return { line, method, pattern: new RegExp('^' + path.replace(/\{[^}]+\}/g, '[^/]+') + '$') };
});
// `comments` is no issue number: the longest template without a placeholder there wins by order of specificity.
const operationOf = (method, path) =>
  templates.filter((t) => t.method === method && t.pattern.test(path)).sort((a, b) => b.line.replace(/\{[^}]+\}/g, '').length - a.line.replace(/\{[^}]+\}/g, '').length)[0]?.line;
const lines = [...new Set(fs.readFileSync(requests, 'utf8').split('\n').filter(Boolean))];
(async () => {
  const seen = new Map();
  let violations = 0;
  const check = async (request) => {
    const url = new URL(request.url);
    const answer = await fetch(prism + url.pathname + url.search, {
      method: request.method,
      headers: request.headers,
      body: request.body === null ? undefined : request.body,
    });
    return { status: answer.status, violations: answer.headers.get('sl-violations'), text: await answer.text() };
  };
  // A wrong body must be refused, or nothing is validated at all.
  const control = await check({ method: 'POST', url: 'http://x/repos/acme/widgets/issues', headers: { 'content-type': 'application/json' }, body: '{"body": "no title"}' });
  if (control.status !== 422) { console.log(`Prism let a wrong body pass with ${control.status}: it validates nothing`); process.exit(1); }
  for (const line of lines) {
    const request = JSON.parse(line);
    const path = new URL(request.url).pathname;
    const operation = operationOf(request.method, path);
    if (!operation) { console.log(`not in operations.txt: ${request.method} ${path}`); violations++; continue; }
    seen.set(operation, (seen.get(operation) || 0) + 1);
    const { status, violations: found, text } = await check(request);
    // As it was sent: a body that is not called JSON is none to GitHub.
    const called = request.headers['content-type'] || 'nothing';
    if (request.body !== null && called !== 'application/json') { violations++; console.log(`VIOLATION ${request.method} ${path}: the body is called ${called}`); }
    if (found || [400, 404, 405, 415, 422].includes(status)) { violations++; console.log(`VIOLATION ${request.method} ${path}: ${status} ${found || text.slice(0, 300)}`); }
  }
  for (const [operation, count] of [...seen].sort()) console.log(`${String(count).padStart(5)} ${operation}`);
  const unseen = wanted.filter((line) => !seen.has(line));
  unseen.forEach((line) => console.log(`NEVER SEEN ${line}`));
  console.log(`${lines.length} requests, ${violations} violations, ${unseen.length} operations never seen`);
  process.exit(violations || unseen.length || !lines.length ? 1 : 0);
})();
