/**
 * Engines with a planted bug: copies of kit and parts with one place changed. Metamorphic runs must find every one
 * within `seedsMax` programs, and shrink what they find to something that a person reads at a glance.
 * Source of the rule: Pebble's cross-version smoke test, which plants a bug and requires a failure within ten seeds.
 */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { loadMutants, plantMutant } from "../../src/gates/mutant.ts";
import { knobSetIn, replay, runTrials, type TrialOutcome } from "../../src/gates/metamorphic/metamorphic-trial.ts";
import { parseOperationFile } from "../../src/gates/metamorphic/operation-file.ts";
import { loadProductEngine } from "../../src/gates/metamorphic/product-engine.ts";
import type { StoreMaker } from "../../src/gates/metamorphic/store-under-test.ts";

const seedsMax = 40;
/** Looked at first: programs that have found the bug before. */
const knownSeeds: Readonly<Record<string, number>> = {
  "compactions side by side take the same files": 8,
  "repair forgets files with range tombstones": 3,
  "bloom-false-negatives": 8,
};
const source = join(import.meta.dirname, "..", "..", "src");
const work = mkdtempSync(join(tmpdir(), "lathe-metamorphic-bugs-"));
const pristine = join(work, "pristine");
for (const room of ["kit", "parts"]) {
  const isProduct = (path: string) => !/\.(test|fuzz|bench|conformance|fixture)\.ts$/.test(path);
  cpSync(join(source, room), join(pristine, room), { recursive: true, filter: isProduct });
}
after(() => rmSync(work, { recursive: true, force: true }));

interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const lsm = "parts/storage/storage_model/row/kvlsm/blackboard";

const bugs: Readonly<Record<string, Edit>> = {
  "snapshots are not kept for compactions": {
    file: `${lsm}/snapshot-list.ts`,
    find: "    this.#live.add(snapshot);",
    replace: "",
  },
  "a snapshot does not see the write just before it": {
    file: `${lsm}/snapshot-stripes.ts`,
    find: "snapshots[stripe] < index",
    replace: "snapshots[stripe] <= index",
  },
  "a cursor does not keep the files that it walks": {
    file: `${lsm}/engine-cursor.ts`,
    find: "board.versions.current.retain();",
    replace: "board.versions.current;",
  },
  "a cursor does not keep the memtables that it walks": {
    file: `${lsm}/blackboard.ts`,
    find: "    for (const memtable of pinned) memtable.pins++;",
    replace: "",
  },
  "the merge has no order of recency": {
    file: `${lsm}/merge-walk.ts`,
    find: "    if (order === 0) order = y.index - x.index;",
    replace: "    if (order === 0) order = x.index - y.index;",
  },
  "the durable index runs one ahead": {
    file: `${lsm}/background-work.ts`,
    find: "durableIndex: memtable.lastIndex",
    replace: "durableIndex: memtable.lastIndex + 1",
  },
  "tombstones are dropped while older versions lie below": {
    file: `${lsm}/background-work.ts`,
    find: "      bottom,\n      snapshots:",
    replace: "      bottom: true,\n      snapshots:",
  },
  "compactions side by side take the same files": {
    file: `${lsm}/compaction-proposal.ts`,
    find: "  if (files.some((file) => busy.has(file.number))) return true;",
    replace: "  return false;",
  },
  "a write without a sync resolves before it can be read": {
    file: `${lsm}/log-writes.ts`,
    find: "    if (this.#queue.length > 0) {",
    replace: "    if (sync) {",
  },
  "repair forgets files with range tombstones": {
    file: `${lsm}/repair.ts`,
    find: "      return known ?? { ...scan.meta, number };",
    replace: "      return known?.rangeTombstones === undefined ? known : undefined;",
  },
  "scans leave the frozen memtables out": {
    file: `${lsm}/sorted-runs.ts`,
    find: "    if (memtable.versionCount > 0) runs.push",
    replace: "    if (memtable === memtables[0] && memtable.versionCount > 0) runs.push",
  },
  "a checkpoint forgets level 0": {
    file: `${lsm}/checkpoint.ts`,
    find: "  const state = versions.state();",
    replace:
      "  const whole = versions.state();\n" +
      "  const state = { ...whole, added: whole.added.filter(({ level }) => level > 0) };",
  },
};

/** Of the mutants of the gates those that a store shows by its answers. */
const mutants = ["bloom-false-negatives", "old-levels-unread", "skip-table-fsync", "skip-manifest-fsync"];

async function withEngine<Result>(directory: string, use: (maker: StoreMaker) => Promise<Result>): Promise<Result> {
  const maker = await loadProductEngine(directory, work);
  try {
    return await use(maker);
  } finally {
    await maker.close();
  }
}

function hunt(name: string, maker: StoreMaker, shrinkAttempts: number): Promise<TrialOutcome> {
  const known = name in knownSeeds ? [knownSeeds[name]] : [];
  const seeds = [...known, ...Array.from({ length: seedsMax }, (_, number) => number + 1)];
  return runTrials(maker, seeds, { knobSets: 12, shrinkAttempts });
}

let copies = 0;

function plant(edit: Edit): string {
  const directory = join(work, `planted-${copies++}`);
  cpSync(pristine, directory, { recursive: true });
  const path = join(directory, edit.file);
  const pieces = readFileSync(path, "utf8").split(edit.find);
  assert.equal(pieces.length, 2, `${edit.file} holds the text once: ${edit.find}`);
  writeFileSync(path, pieces.join(edit.replace));
  return directory;
}

for (const [name, edit] of Object.entries(bugs)) {
  test(`planted bug: ${name}; found within ${seedsMax} programs`, () =>
    withEngine(plant(edit), async (maker) => {
      const { failure } = await hunt(name, maker, 0);
      assert.ok(failure !== undefined);
    }));
}

for (const mutant of loadMutants().filter(({ name }) => mutants.includes(name))) {
  test(`mutant ${mutant.name}: found within ${seedsMax} programs`, () => {
    const directory = join(work, mutant.name);
    plantMutant(pristine, mutant, directory);
    return withEngine(directory, async (maker) => {
      const { failure } = await hunt(mutant.name, maker, 0);
      assert.ok(failure !== undefined);
    });
  });
}

test("what is found is shrunk to a few lines, which fail again when they are read from the file", () => {
  const name = "snapshots are not kept for compactions";
  return withEngine(plant(bugs[name]), async (maker) => {
    const { failure } = await hunt(name, maker, 1500);
    assert.ok(failure !== undefined);
    assert.ok(failure.operations <= 12, failure.text);
    const file = parseOperationFile(failure.text);
    const knobs = knobSetIn(failure.text);
    assert.ok(knobs !== undefined && Object.keys(knobs.options).length <= 6, failure.text);
    const difference = await replay(maker, file, knobs);
    assert.deepEqual(difference, failure.difference);
    await withEngine(pristine, async (right) => assert.equal(await replay(right, file, knobs), undefined));
  });
});
