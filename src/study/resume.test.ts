/** What a kill, a stop or a changed journal does to a study. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Entry } from "../journal/entry.ts";
import { createJournal, openJournal } from "../journal/journal.ts";
import { readEntries } from "../journal/journal-reader.ts";
import { historyOf } from "./history.ts";
import { replayStudy } from "./replay.ts";
import {
  runSimulation,
  type SimulatedStudyOptions,
  studyHeaderOf,
  studyStarted,
} from "./simulated-study.ts";
import { MemoryJournal } from "./study-journal.ts";

const options: SimulatedStudyOptions = {
  seed: 4,
  effects: { "toy.mode": { fast: 0.1, a: -0.05 } },
  budgetSeconds: 400,
};

function without(entry: object): object {
  // When something happened may differ between a study that was killed and one that was not.
  const { seq: _seq, elapsedSeconds: _elapsed, launch, ...rest } = entry as Record<string, unknown>;
  return launch === undefined
    ? rest
    : { ...rest, launch: { ...(launch as object), startedAtMs: 0 } };
}

test("killed after any entry, it comes to the same end and repeats no finished launch", async () => {
  const whole = await runSimulation(options);
  const entries = [...whole.journal.entries()];
  const launches = entries.filter((entry) => "launch" in entry).length;
  assert.ok(entries.length > 40);
  for (let length = 1; length <= entries.length; length++) {
    const journal = new MemoryJournal(entries.slice(0, length));
    const resumed = await runSimulation({ ...options, journal });
    assert.deepEqual(resumed.conclusion, whole.conclusion, `killed after entry ${length}`);
    const done = entries.slice(0, length).filter((entry) => "launch" in entry).length;
    assert.equal(resumed.evaluator.calls.launch, launches - done, `killed after entry ${length}`);
    assert.deepEqual(historyOf(journal.entries()).map(without), historyOf(entries).map(without));
    assert.deepEqual(replayStudy(journal.entries()).differences, []);
  }
});

test("killed again and again, the study comes to the same end", async () => {
  const whole = await runSimulation(options);
  let entries: Entry[] = [studyStarted(options)];
  for (let kills = 0; kills < 40; kills++) {
    const journal = new MemoryJournal(entries);
    const before = entries.length;
    const stop = new Error("killed");
    const append = journal.append.bind(journal);
    journal.append = (entry) => {
      if ([...journal.entries()].length >= before + 4) throw stop;
      return append(entry);
    };
    const killed = await runSimulation({ ...options, journal }).then(
      () => false,
      (error: unknown) => error === stop,
    );
    entries = [...journal.entries()];
    if (!killed) break;
  }
  const { conclusion } = await runSimulation({ ...options, journal: new MemoryJournal(entries) });
  assert.deepEqual(conclusion, whole.conclusion);
});

test("stopped at any step, it concludes with what there is and resumes to the same end", async () => {
  const whole = await runSimulation(options);
  let steps = 0;
  await runSimulation({ ...options, onProgress: () => void steps++ });
  for (let stopAt = 1; stopAt <= steps; stopAt += 3) {
    const stop = new AbortController();
    let step = 0;
    const onProgress = () => {
      if (++step === stopAt) stop.abort();
    };
    const stopped = await runSimulation({ ...options, signal: stop.signal, onProgress });
    assert.equal(stopped.conclusion.outcome, "none");
    assert.ok(stopped.conclusion.interrupted);
    assert.match(stopped.conclusion.reason, /stopped on request/);
    const entries = [...stopped.journal.entries()];
    assert.deepEqual(
      entries.slice(-2).map(({ kind }) => kind),
      ["interrupted", "outcome"],
    );
    assert.deepEqual(replayStudy(entries).differences, []);
    const resumed = await runSimulation({ ...options, journal: new MemoryJournal(entries) });
    assert.deepEqual(resumed.conclusion, whole.conclusion, `stopped at step ${stopAt}`);
    assert.deepEqual(replayStudy(resumed.journal.entries()).differences, []);
  }
});

test("on disk: a study goes on after a kill that tore the journal's last line", async () => {
  const directory = mkdtempSync(join(tmpdir(), "lathe-study-"));
  try {
    const path = join(directory, "journal.ndjson");
    const whole = createJournal(path, studyHeaderOf(options));
    const { conclusion } = await runSimulation({ ...options, journal: whole });
    whole.close();
    truncateSync(path, Math.floor(statSync(path).size * 0.7));
    const torn = openJournal(path);
    const resumed = await runSimulation({ ...options, journal: torn });
    torn.close();
    assert.deepEqual(resumed.conclusion, conclusion);
    assert.deepEqual(replayStudy(readEntries(path)).differences, []);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("a study that has come to its end does nothing when it is run again", async () => {
  const { journal } = await runSimulation(options);
  const length = [...journal.entries()].length;
  const again = await runSimulation({ ...options, journal });
  assert.equal([...journal.entries()].length, length);
  assert.deepEqual(again.evaluator.calls, { gate: 0, prepare: 0, launch: 0, close: 1 });
});

test("replay makes every decision again", async () => {
  const { journal, conclusion } = await runSimulation(options);
  const entries = [...journal.entries()];
  const replay = replayStudy(entries);
  assert.deepEqual(replay.conclusion, conclusion);
  assert.deepEqual(replay.differences, []);
  const stated = [
    "calibration_result",
    "candidate_proposed",
    "screening_decision",
    "confirmation_decision",
    "trial_ended",
    "incumbent_changed",
    "search_ended",
    "remeasurement_result",
    "outcome",
  ];
  assert.equal(replay.decisions, entries.filter(({ kind }) => stated.includes(kind)).length);
});

test("replay finds every planted change of a decision, and of a launch behind one", async () => {
  const { journal } = await runSimulation(options);
  const entries = [...journal.entries()];
  const changes: Record<string, (entry: Record<string, never>) => object> = {
    calibration_result: () => ({ noise: 0.001 }),
    screening_decision: () => ({ estimate: 0.5 }),
    confirmation_decision: (entry) => ({ kept: !entry["kept"] }),
    trial_ended: () => ({ outcome: "rejected" }),
    incumbent_changed: () => ({ to: "another" }),
    candidate_proposed: () => ({ proposer: "another" }),
    remeasurement_result: () => ({ launches: 11 }),
    outcome: () => ({ reason: "+40 % throughput" }),
    confirmation_launch: (entry) => ({
      launch: {
        ...(entry["launch"] as object),
        logRatios: { throughput: 0.4, cost: 0, p50: 0, p99: 0, memory: 0 },
      },
    }),
    calibration_launch: (entry) => ({ launch: { ...(entry["launch"] as object), seed: 1 } }),
  };
  for (const [kind, change] of Object.entries(changes)) {
    const at = entries.findIndex((entry) => entry.kind === kind);
    assert.ok(at >= 0, `the study has an entry of kind ${kind}`);
    const changed = entries.map((entry, index) =>
      index === at ? { ...entry, ...change(entry as never) } : entry,
    );
    const { differences } = replayStudy(changed as typeof entries);
    assert.ok(differences.length > 0, `a changed ${kind} was not found`);
    await assert.rejects(
      runSimulation({
        ...options,
        journal: new MemoryJournal(changed.slice(0, -1) as Entry[]),
      }).then((study) => {
        if (kind !== "outcome") return study;
        throw Object.assign(new Error(), { code: "CORRUPTION" });
      }),
      { code: "CORRUPTION" },
    );
  }
});

test("a journal without a header or with one of another version is refused", async () => {
  assert.throws(() => replayStudy([]), { code: "CORRUPTION" });
  const { settings: _settings, ...header } = studyStarted(options) as Record<string, unknown>;
  const journal = new MemoryJournal([header as never]);
  await assert.rejects(runSimulation({ ...options, journal }), { code: "FORMAT_UNKNOWN" });
});
