import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { copyProduct } from "./conformance-gate.ts";

test("a product is copied into a study of its own, which lies below it", () => {
  const product = mkdtempSync(join(tmpdir(), "lathe-copy-"));
  try {
    for (const directory of ["kit", "node_modules/x", ".lathe/studies/001"]) {
      mkdirSync(join(product, directory), { recursive: true });
      writeFileSync(join(product, directory, "a.ts"), directory);
    }
    const copy = join(product, ".lathe", "studies", "001", "work", "product");
    copyProduct(product, copy);
    assert.deepEqual(readdirSync(copy), ["kit"]);
    assert.equal(readFileSync(join(copy, "kit", "a.ts"), "utf8"), "kit");
  } finally {
    rmSync(product, { recursive: true, force: true });
  }
});
