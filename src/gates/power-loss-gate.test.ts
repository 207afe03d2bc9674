/** The power-loss gate on a toy product: it admits an honest one and rejects each planted fault, for every seed. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { after, test } from "node:test";
import type { GateVerdict } from "./gate.ts";
import { powerLossGate } from "./power-loss-gate.ts";
import type { ToyFault } from "./toy-product.fixture.ts";

const directory = mkdtempSync(join(tmpdir(), "lathe-power-loss-"));
after(() => rmSync(directory, { recursive: true, force: true }));

function build(fault: ToyFault | undefined): string {
  const product = join(directory, fault ?? "honest");
  mkdirSync(product, { recursive: true });
  const toy = pathToFileURL(join(import.meta.dirname, "toy-product.fixture.ts")).href;
  const argument = fault === undefined ? "" : JSON.stringify(fault);
  const text = `import { toyProduct } from "${toy}";\nexport const open = toyProduct(${argument});\n`;
  writeFileSync(join(product, "product.ts"), text);
  writeFileSync(join(product, "knobs.yaml"), "");
  return product;
}

function examine(fault: ToyFault | undefined, seed: number, signal?: AbortSignal): Promise<GateVerdict> {
  const gate = powerLossGate({ points: 16, fates: 4 });
  return gate.run({ productDirectory: build(fault), knobs: {}, seed, workDirectory: directory, signal });
}

test("an honest product is admitted", async () => {
  for (const seed of [1, 2, 3]) {
    const { verdict, reason } = await examine(undefined, seed);
    assert.equal(verdict, "admit", reason);
  }
});

const faults: readonly (readonly [ToyFault, RegExp])[] = [
  ["noFlush", /acknowledged transaction \d+ has \d of its 3 rows|half there|never written|does not open/],
  ["noDirectoryFlush", /acknowledged transaction 0 has 0 of its 3 rows/],
  ["recordPerRow", /is half there|acknowledged transaction/],
  ["noChecksum", /never written|does not open/],
  ["lastForgotten", /acknowledged transaction \d+ has 0 of its 3 rows/],
];

for (const [fault, expected] of faults) {
  test(`planted: ${fault}`, async () => {
    for (const seed of [1, 2, 3]) {
      const { verdict, reason } = await examine(fault, seed);
      assert.equal(verdict, "reject", `seed ${seed}: ${reason}`);
      assert.match(reason, expected);
    }
  });
}

test("a product that never answers is no admission", async () => {
  await assert.rejects(examine("waits", 1), /has not settled/);
});

test("a product that never yields is stopped with its thread", async () => {
  const controller = new AbortController();
  const examined = examine("spins", 1, controller.signal);
  setTimeout(() => controller.abort(), 500);
  await assert.rejects(examined, /ended without an answer/);
});
