/**
 * The seeds of CI: nothing is found, everything that should sometimes happen happens, and equal seeds give equal runs.
 * `LATHE_TEST_SEEDS` sets how many seeds every subject gets.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { expectedEvents } from "../../src/app/simulation/expected-events.ts";
import { runTask } from "../../src/app/simulation/simulation-task.ts";
import { subjectNames } from "../../src/app/simulation/subjects.ts";
import { Coverage } from "../../src/simulation/coverage.ts";

const count = Number(process.env.LATHE_TEST_SEEDS ?? 60);
const seeds = Array.from({ length: count }, (_, at) => at + 1);
const coverage = new Coverage();

for (const subject of subjectNames) {
  test(`${subject}: ${count} seeds`, async () => {
    const outcome = await runTask({ kind: "seeds", subject, seeds, checkDeterminism: false, shrink: true });
    coverage.add(outcome.coverage);
    const told = outcome.failures.map(({ seed, message }) => `seed ${seed}: ${message}`);
    assert.deepEqual(told, [], `lathe sim --scenario ${subject} --seed N --seeds 1`);
    assert.equal(outcome.runs, count);
  });

  test(`${subject}: two runs of one seed are the same, event by event`, async () => {
    const few = seeds.slice(0, 8);
    const outcome = await runTask({ kind: "seeds", subject, seeds: few, checkDeterminism: true, shrink: false });
    assert.deepEqual(outcome.failures.map(({ message }) => message), []);
    assert.ok(outcome.events > 1000, `${outcome.events} events`);
  });
}

test("what should sometimes happen has happened, the rarest of it in more seeds", async () => {
  const missing = () => Object.keys(expectedEvents).filter((event) => !(coverage.counts[event] > 0));
  for (let from = count + 1; missing().length > 0 && from < 10 * count; from += 20) {
    const more = Array.from({ length: 20 }, (_, at) => from + at);
    for (const subject of subjectNames) {
      const outcome = await runTask({ kind: "seeds", subject, seeds: more, checkDeterminism: false, shrink: false });
      coverage.add(outcome.coverage);
      assert.deepEqual(outcome.failures.map(({ seed, message }) => `${subject}, seed ${seed}: ${message}`), []);
    }
  }
  assert.deepEqual(missing(), []);
});
