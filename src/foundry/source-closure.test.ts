import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { productTests, sourceClosure } from "./source-closure.ts";
import { directoryTree, type SourceTree } from "./source-tree.ts";

function withTree(files: Readonly<Record<string, string>>, run: (tree: SourceTree) => void): void {
  const root = mkdtempSync(join(tmpdir(), "lathe-closure-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    run(directoryTree(root));
  } finally {
    rmSync(root, { recursive: true });
  }
}

const tree = {
  "kit/errors.ts": "export const e = 1;\n",
  "kit/unused.ts": "export const u = 1;\n",
  "parts/core/log.ts": "export interface Log {}\n",
  "parts/core/log.conformance.ts": 'import fc from "fast-check";\nimport type { Log } from "./log.ts";\n',
  "parts/core/wal/wal.ts":
    'import { readFileSync } from "node:fs";\nimport { e } from "../../../kit/errors.ts";\nimport type { Log } from "../log.ts";\n',
  "parts/core/wal/wal.test.ts": 'import { w } from "./wal.ts";\nimport { d } from "./double.ts";\n',
  "parts/core/wal/double.ts": 'import { w } from "./wal.ts";\n',
  "parts/core/wal/suite.test.ts": 'import { suite } from "../log.conformance.ts";\n',
  "parts/core/wal/wal.sim.test.ts": 'import "./wal.ts";\n',
  "parts/core/wal/golden.test.ts": "const golden = import.meta.dirname;\n",
  "parts/core/wal/lab.test.ts": 'import { s } from "../../../simulation/env.ts";\n',
  "simulation/env.ts": "export const s = 1;\n",
  "parts/bad/reaches-out.ts": 'import { s } from "../../simulation/env.ts";\n',
  "parts/bad/package.ts": 'import { z } from "zod";\n',
  "parts/bad/missing.ts": 'import { z } from "./none.ts";\n',
};

test("only what is reached is in the product", () => {
  withTree(tree, (root) => {
    assert.deepEqual([...sourceClosure(root, ["parts/core/wal/wal.ts"])].sort(), [
      "kit/errors.ts", "parts/core/log.ts", "parts/core/wal/wal.ts",
    ]);
  });
});

test("a product cannot reach the workshop, a package or nothing", () => {
  withTree(tree, (root) => {
    assert.throws(() => sourceClosure(root, ["parts/bad/reaches-out.ts"]), { code: "INVALID_ARGUMENT", message: /simulation/ });
    assert.throws(() => sourceClosure(root, ["parts/bad/package.ts"]), { code: "INVALID_ARGUMENT", message: /zod/ });
    assert.throws(() => sourceClosure(root, ["parts/bad/missing.ts"]), { code: "NOT_FOUND", message: /none.ts/ });
  });
});

test("tests that need only the product come along, with their doubles, and their imports still lead home", () => {
  withTree(tree, (root) => {
    const product = sourceClosure(root, ["parts/core/wal/wal.ts"]);
    const tests = productTests(root, ["parts/core/wal"], product);
    assert.deepEqual([...tests.keys()].sort(), [
      "test/conformance/parts/core/log.conformance.ts", "test/conformance/parts/core/wal/suite.test.ts",
      "test/parts/core/wal/double.ts", "test/parts/core/wal/wal.test.ts",
    ]);
    assert.equal(
      tests.get("test/parts/core/wal/wal.test.ts"),
      'import { w } from "../../../../parts/core/wal/wal.ts";\nimport { d } from "./double.ts";\n',
    );
    assert.match(tests.get("test/conformance/parts/core/log.conformance.ts") ?? "", /"..\/..\/..\/..\/parts\/core\/log.ts"/);
  });
});
