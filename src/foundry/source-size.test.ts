import assert from "node:assert/strict";
import { test } from "node:test";
import { countLines, serverLines, sizeSentence, sourceSize } from "./source-size.ts";

test("blank lines, comments and tests do not count", () => {
  const text = '/**\n * Header.\n */\n\n// A remark.\nconst a = 1; // kept\n/* one */\nconst b = `\n`;\n';
  assert.equal(countLines(text), 3);
  const files = new Map([["product.ts", text], ["test/a.ts", text], ["product.d.ts", text], ["README.md", text]]);
  assert.deepEqual(sourceSize(files), { lines: 3, bytes: text.length });
  const sentence = sizeSentence({ lines: 12_345, bytes: 2048 });
  const elsewhere = "SQLite 3.54.0 144,325, PostgreSQL 14.23 813,802, MySQL 8.0.45 838,843, and no RocksDB";
  const size = "12,345 lines of code, 2 KiB, without blanks, comments and tests";
  assert.equal(sentence, `${size} (the SpecDB paper's Table 8 counts ${elsewhere})`);
});

test("lines of a server: what listens, what speaks a protocol, and what imports Node's network", () => {
  const two = 'import { open } from "./store.ts";\nopen();\n';
  const listens = 'import { createServer } from "node:net";\ncreateServer();\n';
  const files = new Map([
    ["main.js", two], ["store.ts", two], ["kit/door.ts", listens], ["test/door.ts", listens], ["net.md", listens],
    ["parts/architecture/networking/wire.ts", two],
  ]);
  assert.equal(serverLines(files), 6);
});
