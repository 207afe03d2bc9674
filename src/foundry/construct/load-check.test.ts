import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LatheError } from "../../kit/errors.ts";
import { checkLoads, type LoadOptions } from "./load-check.ts";

const timeoutMs = 120_000;

async function load(part: string, options: Partial<LoadOptions> = {}, entry = "serve.ts"): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "lathe-load-check-"));
  try {
    const files = new Map([
      ["product.ts", 'import "./parts/core/part.ts";\nexport const open: () => void = () => undefined;\n'],
      ["parts/core/part.ts", part], ...(entry === "serve.ts" ? [["serve.ts", 'import "./product.ts";\n'] as const] : []),
    ]);
    await checkLoads(join(directory, "store"), files, { timeoutMs, ...options });
  } finally {
    const left = readdirSync(directory);
    rmSync(directory, { recursive: true });
    assert.deepEqual(left, [], "nothing is left beside the product");
    assert.equal(existsSync(directory), false);
  }
}

test("a product that can be imported loads, whatever its modules leave running", async () => {
  await load("setInterval(() => undefined, 1000);\nexport {};\n");
  await load("export const one: number = 1;\n", {}, "product.ts");
});

test("a module that throws, ends the process or has no such export is told with its place in the product", async () => {
  const thrown = load('export const one: number = (() => { throw new Error("not today"); })();\n');
  await assert.rejects(thrown, (error: LatheError) => {
    assert.equal(error.code, "CONSTRAINT");
    assert.match(error.message, /does not load, and nothing was written \(import of serve\.ts\)/);
    assert.match(error.message, /^ +parts\/core\/part\.ts:1\n[^]*not today/m);
    return true;
  });
  await assert.rejects(load('import { none } from "../../product.ts";\nvoid none;\n', {}, "product.ts"), /none/);
  await assert.rejects(load("process.exit(0);\n"), { code: "CONSTRAINT", message: /it ended with code 0/ });
});

test("one that does not end is given up, and a cancelled check ends what it started", async () => {
  const endless = "for (;;) ;\n";
  await assert.rejects(load(endless, { timeoutMs: 300 }), { code: "CONSTRAINT", message: /did not end within 0\.3 s/ });
  const controller = new AbortController();
  const cancelled = load(endless, { signal: controller.signal });
  controller.abort(new LatheError("CANCELLED", "stopped"));
  await assert.rejects(cancelled, { code: "CANCELLED" });
});
