/** Some of the points of `lathe sim --every-call`: every kind of fault, at calls spread over the fixed scenario. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runTask } from "../../src/app/simulation/simulation-task.ts";
import { subjectNames } from "../../src/app/simulation/subjects.ts";
import { faultModes, parsePoint, pointText } from "../../src/simulation/every-call.ts";

/** Every so many calls; a different remainder for every mode comes from the primes' not dividing the scenario. */
const strideOfAll = Number(process.env.LATHE_TEST_STRIDE ?? 53);

for (const subject of subjectNames) {
  // The calls of a relaxed node are those of a node, but for the flushes.
  const stride = subject === "relaxed-node" ? 4 * strideOfAll : strideOfAll;
  test(`${subject}: faults at every ${stride}th call`, async () => {
    let runs = 0;
    for (const mode of faultModes.keys()) {
      const outcome = await runTask({ kind: "points", subject, mode, recovery: -1, stride });
      runs += outcome.runs;
      assert.deepEqual(outcome.failures.map(({ point, message }) => `${point}: ${message}`), []);
    }
    assert.ok(runs >= faultModes.length, `${runs} points`);
  });
}

test("a recovery that is itself interrupted", async () => {
  const outcome = await runTask({ kind: "points", subject: "engine", mode: 0, recovery: 0, stride: 200 });
  assert.deepEqual(outcome.failures.map(({ point, message }) => `${point}: ${message}`), []);
  assert.ok(outcome.runs > 20, `${outcome.runs} points`);
  assert.ok(outcome.coverage.crash_during_recovery > 20);
});

test("points are written and read", () => {
  const text = "crash:17+ioError:3:persistent,torn:9";
  assert.equal(pointText(parsePoint(text)), text);
  for (const wrong of ["crash", "crash:0", "nothing:3", "crash:1:often"]) {
    assert.throws(() => parsePoint(wrong), { code: "INVALID_ARGUMENT" });
  }
});
