/** A run goes the same way wherever it begins: also inside a tick, as where a worker process is sent its task. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runOnce } from "../../src/app/simulation/simulation-task.ts";
import { makeSubject } from "../../src/app/simulation/subjects.ts";
import { drawScenario } from "../../src/simulation/scenario.ts";

test("a run that begins inside a tick is the same as one that begins elsewhere, event by event", async () => {
  for (let seed = 7602; seed < 7642; seed++) {
    const scenario = drawScenario(makeSubject("bare-engine"), seed);
    const inTick = await new Promise((resolve, reject) =>
      process.nextTick(() => void runOnce(scenario).then(({ hash }) => resolve(hash), reject)),
    );
    const elsewhere = await runOnce(scenario);
    assert.equal(inTick, elsewhere.hash, `seed ${seed}`);
  }
});
