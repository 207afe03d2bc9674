/**
 * Whole studies on a simulated system. `LATHE_NULL_STUDIES=10000` runs the null simulation at
 * length.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { EntryOfKind, JournalEntry } from "../journal/entry.ts";
import { isKind } from "../journal/entry.ts";
import type { Progress } from "./progress.ts";
import { unlimitedSeconds } from "./settings.ts";
import { replayStudy } from "./replay.ts";
import { runSimulation, type SimulatedStudyOptions } from "./simulated-study.ts";

const nullStudies = Number(process.env["LATHE_NULL_STUDIES"] ?? 300);

function entriesOf<Kind extends JournalEntry["kind"]>(
  journal: { entries(): Iterable<JournalEntry> },
  kind: Kind,
) {
  return [...journal.entries()].filter(isKind(kind)) as EntryOfKind<Kind>[];
}

test("a candidate that is 10 % faster is found among five, confirmed and re-measured", async () => {
  let found = 0;
  for (let seed = 0; seed < 20; seed++) {
    const { conclusion, journal } = await runSimulation({
      seed,
      effects: { "toy.mode": { fast: 0.1 } },
    });
    assert.ok(conclusion.winner === undefined || conclusion.winner.knobs["toy.mode"] === "fast");
    if (conclusion.outcome !== "gain") continue;
    found++;
    const [{ intervals, launches }] = entriesOf(journal, "remeasurement_result");
    assert.equal(launches, 10);
    assert.ok(intervals.throughput.low > 0 && intervals.throughput.high < Math.log(1.2));
  }
  assert.ok(found >= 18, `found in ${found} of 20 studies`);
});

test("studies whose candidates are all null improve no more often than they say", async () => {
  const alpha = 0.05;
  let improved = 0;
  let quoted = 0;
  for (let seed = 0; seed < nullStudies; seed++) {
    const simulation = { skew: 0.7, firstAdvantage: 0.02, drift: 0.05 };
    const { conclusion } = await runSimulation({ seed, alpha, budgetSeconds: 900, simulation });
    if (conclusion.winner !== undefined) improved++;
    if (conclusion.outcome === "gain") quoted++;
  }
  // Two standard errors above the stated rate: fails by chance in about one run of fifty if the
  // rate is exactly α.
  const limit = alpha + 2 * Math.sqrt((alpha * (1 - alpha)) / nullStudies);
  assert.ok(improved / nullStudies <= limit, `${improved} of ${nullStudies} null studies improved`);
  assert.ok(quoted <= improved);
});

test("the null simulation finds a planted study that keeps what screens best", async () => {
  // The same candidates, judged as greedy tools judge: better than the incumbent in one launch is
  // kept.
  let improved = 0;
  for (let seed = 0; seed < 50; seed++) {
    const { journal } = await runSimulation({ seed });
    const firsts = entriesOf(journal, "screening_decision");
    if (firsts.some(({ estimate }) => estimate > 0)) improved++;
  }
  assert.ok(improved > 40, `the naive rule improved in ${improved} of 50 null studies`);
});

test("a faster candidate that is worse in the tail or in memory is not kept", async () => {
  const truths = [
    { logThroughput: Math.log(1.3), logP99: Math.log(1.6) },
    { logThroughput: Math.log(1.3), memoryMiB: 131 },
  ];
  for (const [seed, truth] of truths.entries()) {
    const { conclusion, journal } = await runSimulation({
      seed,
      effects: { "toy.mode": { fast: truth } },
    });
    assert.equal(conclusion.outcome, "none");
    assert.equal(conclusion.winner, undefined);
    const decision = entriesOf(journal, "confirmation_decision").find(
      (one) => one.test.decision === "keep",
    );
    assert.ok(decision !== undefined && !decision.kept);
    assert.match(decision.reason, seed === 0 ? /faster .* but p99/ : /faster .* but memory/);
  }
});

test("screening drops what takes far more memory than is granted", async () => {
  const effects = { "toy.mode": { fast: { logThroughput: Math.log(1.3), memoryMiB: 400 } } };
  const { journal, conclusion } = await runSimulation({ seed: 1, effects });
  assert.equal(conclusion.winner, undefined);
  const ended = entriesOf(journal, "trial_ended").map(({ reason }) => reason);
  assert.ok(
    ended.some((reason) => /but it takes 40\d MiB of 128 MiB granted, 4\.1\d times/.test(reason)),
    ended.join("\n"),
  );
});

test("more memory is no loss below what the contract grants", async () => {
  const effects = { "toy.mode": { fast: { logThroughput: Math.log(1.3), memoryMiB: 120 } } };
  const { conclusion } = await runSimulation({ seed: 3, effects });
  assert.equal(conclusion.outcome, "gain");
});

test("candidates that die, hang, lie, break a gate or cannot be prepared become data", async () => {
  const behaviours = {
    a: "dies",
    b: "hangs",
    c: "answers wrongly",
    d: "rejected",
    fast: "unpreparable",
  } as const;
  const effects = {
    "toy.mode": Object.fromEntries(
      Object.entries(behaviours).map(([name, behaviour]) => [name, { behaviour }]),
    ),
  };
  const { conclusion, journal, evaluator } = await runSimulation({ seed: 5, effects });
  assert.equal(conclusion.outcome, "none");
  const ended = new Map(
    entriesOf(journal, "trial_ended").map(({ candidate, outcome, reason }) => [
      candidate,
      `${outcome}: ${reason}`,
    ]),
  );
  const verdicts = entriesOf(journal, "candidate_proposed").map(
    ({ candidate }) => `${String(candidate.knobs["toy.mode"])} ${ended.get(candidate.id)}`,
  );
  assert.deepEqual(verdicts.sort(), [
    "a failed: CLOSED: the server ended with exit code 1 while it was measured",
    "b failed: TIMEOUT: no answer within 180 s",
    "c rejected: the candidate answered 3 reads with values that were never written",
    "d rejected: differential: after 312 operations: a read returned a deleted row",
    "fast failed: DISK_FULL: no space is left for the checkpoint",
  ]);
  assert.equal(evaluator.calls.close, 1);
  assert.deepEqual(replayStudy(journal.entries()).differences, []);
});

test("a search whose candidates all fail in a row stops and says so", async () => {
  const values = ["a", "b", "c", "d", "fast"];
  const effects = {
    "toy.mode": Object.fromEntries(values.map((name) => [name, { behaviour: "dies" as const }])),
  };
  const { journal, conclusion } = await runSimulation({
    seed: 1,
    effects,
    settings: { failuresInRowMax: 3 },
  });
  assert.equal(entriesOf(journal, "trial_ended").length, 3);
  assert.match(conclusion.reason, /3 candidates in a row failed/);
});

test("a product that a gate rejects is refused before anything is measured", async () => {
  const { conclusion, evaluator } = await runSimulation({
    seed: 1,
    simulation: { productRejection: "2 of 400 acknowledged writes were lost" },
  });
  assert.deepEqual(
    [conclusion.outcome, conclusion.reason],
    [
      "refused",
      "the gate differential does not admit the product: 2 of 400 acknowledged writes were lost",
    ],
  );
  assert.equal(evaluator.calls.launch, 0);
});

test("a budget that confirms nothing is refused with the budget that is needed", async () => {
  const { conclusion } = await runSimulation({ seed: 1, budgetSeconds: 90 });
  assert.equal(conclusion.outcome, "refused");
  const needed = Number(/Give it (\d+) s or more/.exec(conclusion.reason)?.[1]);
  assert.ok(needed > 90, conclusion.reason);
  // What it asks for is enough, and not much more than that.
  const enough = await runSimulation({ seed: 1, budgetSeconds: Math.ceil(needed * 1.02) });
  assert.notEqual(enough.conclusion.outcome, "refused", enough.conclusion.reason);
  const scarce = await runSimulation({ seed: 1, budgetSeconds: Math.floor(needed * 0.9) });
  assert.equal(scarce.conclusion.outcome, "refused");
});

test("a baseline that cannot be measured is refused", async () => {
  const effects = {};
  const truthOf = () => ({ behaviour: "dies" as const });
  const { conclusion } = await runSimulation({ seed: 1, effects, simulation: { truthOf } });
  assert.equal(conclusion.outcome, "refused");
  assert.match(conclusion.reason, /calibration cannot work: the server ended/);
});

test("where the driver is the limit, server CPU per operation is tested, as declared before", async () => {
  const options: SimulatedStudyOptions = {
    seed: 2,
    effects: { "toy.mode": { fast: 0.1 } },
    simulation: { driverBound: true },
  };
  const { conclusion, journal } = await runSimulation(options);
  assert.equal(entriesOf(journal, "calibration_result")[0].statistic, "cost");
  assert.ok(
    entriesOf(journal, "confirmation_decision").every(({ statistic }) => statistic === "cost"),
  );
  assert.equal(conclusion.outcome, "gain");
  assert.match(conclusion.reason, /server CPU/);
});

test("the budget is respected: the study ends within it, its re-measurement included", async () => {
  for (const budgetSeconds of [180, 300, 1000]) {
    for (let seed = 0; seed < 5; seed++) {
      const effects = { "toy.mode": { fast: 0.2, a: 0.1, b: 0.05 } };
      const { journal, conclusion } = await runSimulation({ seed, budgetSeconds, effects });
      const calibrationStart = entriesOf(journal, "gate_verdict")[1].elapsedSeconds ?? 0;
      const end = Math.max(
        ...[...journal.entries()].map((entry) => Number(entry["elapsedSeconds"] ?? 0)),
      );
      assert.ok(
        end - calibrationStart <= budgetSeconds,
        `${end - calibrationStart} s of ${budgetSeconds} s`,
      );
      if (conclusion.winner !== undefined)
        assert.equal(entriesOf(journal, "remeasurement_result").length, 1);
    }
  }
});

test("progress says stage, trial, incumbent and time left", async () => {
  const stages = new Set<string>();
  await runSimulation({
    seed: 1,
    effects: { "toy.mode": { fast: 0.1 } },
    settings: { trialsMax: 3 },
    onProgress: ({ stage, trial, of, secondsLeft, text }) => {
      stages.add(stage);
      assert.ok(trial >= 0 && trial <= 3 && of === 3 && text.length > 0);
      assert.ok(secondsLeft !== undefined && secondsLeft >= 0 && secondsLeft <= 600);
    },
  });
  assert.deepEqual([...stages].slice(0, 4), ["gates", "calibration", "screening", "confirmation"]);
});

test("trials alone can be the limit: time left is then told from their pace", async () => {
  const left: (number | undefined)[] = [];
  const onProgress = ({ secondsLeft }: Progress) => void left.push(secondsLeft);
  const { journal } = await runSimulation({
    seed: 1,
    budgetSeconds: unlimitedSeconds,
    settings: { trialsMax: 4 },
    onProgress,
  });
  assert.equal(entriesOf(journal, "trial_ended").length, 4);
  assert.equal(left[0], undefined);
  const { launchesMax } = entriesOf(journal, "calibration_result")[0];
  assert.ok(launchesMax <= 12, "a confirmation does not take forever");
  assert.ok((left.at(-1) ?? Infinity) < 600);
});

test("an expert's configuration is compared with the winner on launches of its own", async () => {
  const effects = { "toy.mode": { fast: 0.2, a: 0.1 } };
  const expert = { knobs: { "toy.mode": "a" }, source: "a tuning guide" };
  const { journal } = await runSimulation({ seed: 1, effects, settings: { expert } });
  const results = entriesOf(journal, "remeasurement_result");
  assert.deepEqual(
    results.map(({ against }) => against),
    ["baseline", "expert"],
  );
  assert.ok(Math.abs(results[1].intervals.throughput.estimate - Math.log(1.2 / 1.1)) < 0.03);
});

test("a short budget is not spent on the comparison with an expert", async () => {
  const expert = { knobs: { "toy.mode": "a" }, source: "a tuning guide" };
  const effects = { "toy.mode": { fast: 0.2, a: 0.1 } };
  const options = { seed: 1, effects, budgetSeconds: 180, settings: { expert } };
  const { journal, conclusion } = await runSimulation(options);
  assert.notEqual(conclusion.outcome, "refused");
  const seconds = Math.max(
    ...[...journal.entries()].map((entry) => Number(entry["elapsedSeconds"] ?? 0)),
  );
  assert.ok(seconds <= 182, `${seconds} s`);
});
