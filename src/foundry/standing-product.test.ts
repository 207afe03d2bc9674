import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { replaceProduct } from "./product-directory.ts";
import { holdPlace } from "./product-lock.ts";
import { productProgram, requireProduct } from "./standing-product.ts";

const options = { force: false, carried: [] };

function inDirectory(use: (store: string, previous: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "lathe-standing-product-"));
  try {
    use(join(directory, "store"), join(directory, ".store.previous"));
  } finally {
    chmodSync(directory, 0o700);
    rmSync(directory, { recursive: true });
  }
}

const build = (store: string, names: readonly string[]) =>
  replaceProduct(store, "store", "0".repeat(64), new Map(names.map((name) => [name, "// mine\n"])), options);

test("a server's program, of today and of earlier versions; a library has none", () => {
  inDirectory((store) => {
    build(store, ["product.ts", "main.ts"]);
    assert.equal(productProgram(store), join(store, "main.ts"));
    build(store, ["product.ts", "main.js"]);
    assert.equal(productProgram(store), join(store, "main.js"));
    build(store, ["product.ts", "pack.ts"]);
    assert.throws(() => productProgram(store), { code: "INVALID_ARGUMENT", message: /is a library without a server/ });
    requireProduct(store);
  });
});

test("what is no product, or a part of one, is told with the way out", () => {
  inDirectory((store) => {
    for (const ask of [productProgram, requireProduct]) {
      assert.throws(() => ask(store), { code: "NOT_FOUND", message: /holds no product .*: `lathe build CONTRACT --out DIR` makes/ });
    }
    mkdirSync(store);
    writeFileSync(join(store, "product.ts"), "");
    assert.throws(() => requireProduct(store), { code: "NOT_FOUND", message: /copy it whole, \.lathe\/ too/ });
    rmSync(store, { recursive: true });
    build(store, ["product.ts", "main.js"]);
    rmSync(join(store, "main.js"));
    assert.throws(() => productProgram(store), { code: "NOT_FOUND", message: /no main\.js\).*--force` writes again/ });
  });
});

test("a product that a killed build put aside is brought back, unless a build works there", () => {
  inDirectory((store, previous) => {
    build(store, ["product.ts", "main.js"]);
    writeFileSync(join(store, "notes.md"), "mine");
    renameSync(store, previous);
    const hold = holdPlace(store);
    assert.throws(() => productProgram(store), { code: "LOCKED" });
    hold.release();
    assert.equal(productProgram(store), join(store, "main.js"));
    assert.equal(readFileSync(join(store, "notes.md"), "utf8"), "mine");
    assert.equal(existsSync(previous), false);
  });
});

test("one that cannot be moved back is named", { skip: process.getuid?.() === 0 }, () => {
  inDirectory((store, previous) => {
    build(store, ["product.ts", "main.js"]);
    renameSync(store, previous);
    chmodSync(join(store, ".."), 0o500);
    assert.throws(() => requireProduct(store), { code: "PERMISSION", message: /left the product of .* as .*\.store\.previous/ });
  });
});
