// Cuts GitHub's OpenAPI description down to the operations of connectors/github/operations.txt and mends what makes Prism skip validation:
// AJV refuses `nullable` without `type`, and Prism then silently validates nothing.
// node spec.js WHOLE OPERATIONS OUT
const fs = require('fs');
const [, , whole, operations, out] = process.argv;
const spec = JSON.parse(fs.readFileSync(whole));
const wanted = new Set(fs.readFileSync(operations, 'utf8').split('\n').filter(Boolean).map((line) => line.split(' ')[1]));
const missing = [...wanted].filter((path) => !spec.paths[path]);
if (missing.length) throw new Error('not in the specification: ' + missing.join(', '));
spec.paths = Object.fromEntries(Object.entries(spec.paths).filter(([path]) => wanted.has(path)));
delete spec['x-webhooks'];
delete spec.webhooks;
const kept = {};
const seen = new Set();
const keep = (node) => {
  if (Array.isArray(node)) return node.forEach(keep);
  if (!node || typeof node !== 'object') return;
  const ref = typeof node.$ref === 'string' && node.$ref.startsWith('#/components/') ? node.$ref : null;
  if (ref && !seen.has(ref)) {
    seen.add(ref);
    const [, , kind, escaped] = ref.split('/');
    const name = escaped.replace(/~1/g, '/').replace(/~0/g, '~');
    const value = (spec.components[kind] || {})[name];
    (kept[kind] ??= {})[name] = value;
    keep(value);
  }
  Object.values(node).forEach(keep);
};
keep(spec.paths);
spec.components = kept;
const mend = (node) => {
  if (Array.isArray(node)) return node.forEach(mend);
  if (!node || typeof node !== 'object') return;
  if (node.nullable === true && !node.type) {
    delete node.nullable;
    const none = { enum: [null] };
    if (node.oneOf) node.oneOf.push(none);
    else if (node.anyOf) node.anyOf.push(none);
    else if (node.allOf) { const all = node.allOf; delete node.allOf; node.anyOf = [{ allOf: all }, none]; }
  }
  Object.values(node).forEach(mend);
};
mend(spec);
fs.writeFileSync(out, JSON.stringify(spec));
console.log(`${Object.keys(spec.paths).length} paths`);
