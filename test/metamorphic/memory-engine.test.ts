/**
 * The metamorphic gate over a product with all data in memory: it runs its programs on the product's own engine, and
 * finds what is planted there. A product whose engine nobody knows knob sets for is not admitted.
 */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { buildFromContract } from "../../src/app/build.ts";
import { metamorphicGate } from "../../src/gates/metamorphic/metamorphic-gate.ts";
import type { GateVerdict } from "../../src/gates/gate.ts";

const contractFile = join(import.meta.dirname, "..", "..", "examples", "session-store", "contract.yaml");
const work = mkdtempSync(join(tmpdir(), "lathe-metamorphic-memory-"));
const product = join(work, "product");
before(() => void buildFromContract({ contractFile, directory: product }));
after(() => rmSync(work, { recursive: true, force: true }));

let runs = 0;

function judge(productDirectory: string): Promise<GateVerdict> {
  const workDirectory = join(work, `run-${runs++}`);
  mkdirSync(workDirectory);
  const gate = metamorphicGate({ programs: 2, programsMin: 2, knobSets: 3 });
  return gate.run({ productDirectory, knobs: {}, seed: 1, workDirectory });
}

test("its programs are run, and every answer is a map's", async () => {
  const { verdict, reason } = await judge(product);
  assert.equal(verdict, "admit", reason);
  assert.match(reason, /^2 of 2 programs, 6 runs, \d{3,} operations/);
});

const faults = [
  {
    what: "a snapshot that is younger than its index says",
    file: "memory-engine.ts", found: "return { index, release };", planted: "return { index: Infinity, release };",
  },
  {
    what: "CURRENT that names an index beyond its snapshot",
    file: "current-file.ts", found: "index: readU64LE(bytes, fileHeaderBytes + 8)",
    planted: "index: readU64LE(bytes, fileHeaderBytes + 8) + 1",
  },
];

for (const [number, { what, file, found, planted }] of faults.entries()) {
  test(`a planted fault is found: ${what}`, async () => {
    const directory = join(work, `fault-${number}`);
    for (const name of ["kit", "parts", "selection.json"]) {
      cpSync(join(product, name), join(directory, name), { recursive: true });
    }
    const path = join(directory, "parts", "storage", "storage_model", "memory", file);
    const text = readFileSync(path, "utf8");
    assert.equal(text.split(found).length, 2, `${file} has the place of the fault once`);
    writeFileSync(path, text.replace(found, planted));
    const { verdict, reason, evidence } = await judge(directory);
    assert.equal(verdict, "reject", reason);
    assert.match(String(evidence.operationFile), /^# knobs \{/m);
  });
}

test("an engine that no knob set is for is no admission", async () => {
  const directory = join(work, "no-engine");
  mkdirSync(join(directory, "kit"), { recursive: true });
  const { verdict, reason } = await judge(directory);
  assert.equal(verdict, "inconclusive");
  assert.match(reason, /holds no part of storage\/lsm\/memtable or storage\/storage_model\/memory/);
});
