// node -r loud.js: Prism swallows AJV's compile errors and then validates nothing. Say them.
const Ajv = require(require.resolve('ajv', { paths: [process.env.PRISM_HOME] })).default;
const compile = Ajv.prototype.compile;
Ajv.prototype.compile = function (...args) {
  try { return compile.apply(this, args); } catch (error) { console.error('AJV-COMPILE-ERROR ' + error.message); throw error; }
};
