import assert from "node:assert/strict";
import { test } from "node:test";
import { countLines, sizeSentence, sourceSize } from "./source-size.ts";

test("blank lines, comments and tests do not count", () => {
  const text = '/**\n * Header.\n */\n\n// A remark.\nconst a = 1; // kept\n/* one */\nconst b = `\n`;\n';
  assert.equal(countLines(text), 3);
  const files = new Map([["product.ts", text], ["test/a.ts", text], ["product.d.ts", text], ["README.md", text]]);
  assert.deepEqual(sourceSize(files), { lines: 3, bytes: text.length });
  assert.match(sizeSentence({ lines: 12_345, bytes: 2048 }), /^12,345 lines of code, 2 KiB, .*PostgreSQL 14.23 813,802/);
});
