/** The rules of a loss window, and the power-loss gate with them: on a toy that keeps them and on one that does not. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { lossWindowOf } from "./loss-window.ts";
import { powerLossGate } from "./power-loss-gate.ts";
import { judgeWindow, planTrial, type TrialPlan } from "./window-trial.ts";

const plan: TrialPlan = { windowMs: 100, flushMs: 10, ending: "moment", share: 0.5 };
const run = { answeredUs: [0, 50_000, 100_000, 180_000], lostUs: 200_000 };

test("only the last answers of one window may be lost", () => {
  assert.equal(judgeWindow(plan, run, 4), undefined);
  assert.equal(judgeWindow(plan, run, 2), undefined);
  assert.match(judgeWindow(plan, run, 1) ?? "", /3 answered .* within 130.0 ms/);
  assert.match(judgeWindow(plan, { ...run, lostUs: 300_000 }, 3) ?? "", /1 answered .* 120.0 ms before/);
});

test("on a slow or failing device answers count by their distance, not by their age", () => {
  const late = { ...run, lostUs: 900_000 };
  assert.equal(judgeWindow({ ...plan, flushMs: 300 }, late, 2), undefined);
  assert.equal(judgeWindow({ ...plan, ending: "failedFlush" }, late, 2), undefined);
  assert.match(judgeWindow({ ...plan, flushMs: 300 }, late, 0) ?? "", /4 answered .* within 180.0 ms/);
});

test("trials go through every device and every ending", () => {
  const drawn = Array.from({ length: 12 }, (_, number) => planTrial(100, number, 0));
  assert.equal(new Set(drawn.map(({ flushMs, ending }) => `${flushMs} ${ending}`)).size, 9);
});

test("a toy that flushes every answer is admitted with a window, one that never does is not", async () => {
  const directory = mkdtempSync(join(tmpdir(), "lathe-window-"));
  try {
    const contract = "version: 1\nname: toy\nstorage: { durability: interval, loss_window_ms: 50 }\n" +
      "workload: { benchmark: ycsb, profile: a }\n";
    for (const [fault, expected] of [["", "admit"], ['"noFlush"', "reject"]]) {
      const product = join(directory, expected);
      mkdirSync(product);
      const toy = pathToFileURL(join(import.meta.dirname, "toy-product.fixture.ts")).href;
      const text = `import { toyProduct } from "${toy}";\nexport const open = toyProduct(${fault});\n`;
      writeFileSync(join(product, "product.ts"), text);
      writeFileSync(join(product, "knobs.yaml"), "");
      assert.equal(lossWindowOf(product), undefined);
      writeFileSync(join(product, "contract.yaml"), contract);
      assert.equal(lossWindowOf(product), 50);
      const gate = powerLossGate({ points: 16, fates: 3 });
      const subject = { productDirectory: product, knobs: {}, seed: 1, workDirectory: directory };
      const { verdict, reason } = await gate.run(subject);
      assert.equal(verdict, expected, reason);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});
