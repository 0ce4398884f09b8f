// Reads an AsyncAPI document from standard input, prints what its authors' own parser finds, one line each.
"use strict";
const { readFileSync } = require("node:fs");
const { Parser } = require("@asyncapi/parser");

(async () => {
  const { document, diagnostics } = await new Parser().parse(readFileSync(0, "utf8"));
  for (const { code, message, severity, path } of diagnostics) console.log(JSON.stringify({ code, message, severity, path }));
  if (document === undefined) throw new Error("not an AsyncAPI document");
})();
