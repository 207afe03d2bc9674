import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  addPrograms, readMetamorphicRecord, type RecordedPrograms, writeMetamorphicRecord,
} from "./metamorphic-record.ts";

const sources = { sourceHash: "one", command: "lathe check FILE", generatorVersion: 2 };

const roundOf = (firstSeed: number, failures: RecordedPrograms["failures"] = []): RecordedPrograms => ({
  programs: 50, runs: 400, operations: 1000, seconds: 25, firstSeed, lastSeed: firstSeed + 49, failures,
});

test("rounds of one state of the sources are added up, and the next begins behind the last seed", () => {
  const difference = { seed: 130, knobs: "tiny", operation: "get a", expected: "b", got: "nothing" };
  const first = addPrograms(undefined, roundOf(1), sources);
  const second = addPrograms(first, roundOf(51), sources);
  const third = addPrograms(second, roundOf(101, [difference]), { ...sources, sourceHash: "other" });
  assert.equal(second.nextSeed, 101);
  assert.equal(third.nextSeed, 151);
  const sums = third.bySources.map((one) => [one.sourceHash, one.programs, one.runs, one.firstSeed, one.lastSeed]);
  assert.deepEqual(sums, [["one", 100, 800, 1, 100], ["other", 50, 400, 101, 150]]);
  assert.deepEqual(third.bySources.map(({ failures }) => failures), [[], [difference]]);
});

test("a record is read back from either name, with a page that tells its sums and its differences", () => {
  const directory = mkdtempSync(join(tmpdir(), "lathe-record-"));
  try {
    const file = join(directory, "programs");
    assert.equal(readMetamorphicRecord(file), undefined);
    const difference = { seed: 7, knobs: "tiny", operation: "get a", expected: "b", got: "nothing" };
    const record = addPrograms(undefined, roundOf(1, [difference]), sources);
    writeMetamorphicRecord(file, record);
    assert.deepEqual(readMetamorphicRecord(`${file}.json`), record);
    assert.deepEqual(readdirSync(directory).sort(), ["programs.json", "programs.md"]);
    const page = readFileSync(`${file}.md`, "utf8");
    assert.match(page, /\*\*50 random programs\*\*.*400 runs, 1,000 operations.*\*\*1\*\*/);
    assert.match(page, /seed 7 under "tiny": `get a` gave nothing where b was due/);
    writeFileSync(join(directory, "strange.json"), "{}");
    assert.throws(() => readMetamorphicRecord(join(directory, "strange")), { code: "INVALID_ARGUMENT" });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
