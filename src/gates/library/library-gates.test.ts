/** The gates of a library on the example's product: the honest one is admitted, planted faults are found. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parseContract } from "../../contract/parse.ts";
import { buildProduct } from "../../foundry/build.ts";
import { loadKnobCatalog } from "../../knobs/catalog.ts";
import { loadMutants, plantMutant } from "../mutant.ts";
import { libraryKillGate } from "./library-kill-gate.ts";
import { decodeRow, encodeRow, keyOfNumber, rowOfNumber, rowText } from "./library-rows.ts";
import { judgeUnit } from "./library-units.ts";

const root = mkdtempSync(join(tmpdir(), "lathe-library-"));
after(() => rmSync(root, { recursive: true, force: true }));

const file = join(import.meta.dirname, "..", "..", "..", "examples", "embedded", "contract.yaml");
const text = readFileSync(file, "utf8");
const parsed = parseContract(text, file);
assert.ok(parsed.ok);
const { contract } = parsed;
const product = join(root, "product");
buildProduct({ contract, contractText: text, knobCatalog: loadKnobCatalog() }, product);

async function killed(name: string | undefined) {
  const productDirectory = name === undefined ? product : join(root, name);
  const mutant = loadMutants().find((one) => one.name === name);
  if (mutant !== undefined) plantMutant(product, mutant, productDirectory);
  const workDirectory = join(root, `work-${name}`);
  mkdirSync(workDirectory);
  return libraryKillGate({ rounds: 2 }).run({ productDirectory, workDirectory, knobs: {}, seed: 7 });
}

test("kill -9: the honest library is admitted, an early acknowledgement and a lock of no force are found", async () => {
  const honest = await killed(undefined);
  assert.equal(honest.verdict, "admit", honest.reason);
  for (const [name, reason] of [
    ["library-log-flushed-later", /version \d+ was acknowledged/],
    ["library-lock-taken-from-the-living", /both got it/],
  ] as const) {
    const { verdict, reason: found } = await killed(name);
    assert.equal(verdict, "reject", found);
    assert.match(found, reason);
  }
});

test("units: lost, half, stale and invented ones are told apart", () => {
  const version = (number: number, isThere = true) => ({ number, isThere });
  const judge = (rows: Readonly<Record<number, number>>, pending = [version(6), version(7, false)]) => {
    const unit = { number: 3, acknowledged: version(5), pending };
    return [judgeUnit(unit, ({ number }) => rows[number] ?? 0), unit.acknowledged.number] as const;
  };
  assert.deepEqual(judge({ 5: 2 }), [undefined, 5]);
  assert.deepEqual(judge({ 6: 2 }), [undefined, 6]);
  assert.deepEqual(judge({}), [undefined, 7]);
  assert.match(judge({ 5: 1 })[0] ?? "", /half there: one of the two rows of version 5/);
  assert.match(judge({ 4: 2 }, [])[0] ?? "", /not there, but version 5 was acknowledged/);
});

test("rows: a matter of table, number and version; they come back from the wire as they were", () => {
  for (const table of contract.data.tables) {
    const row = rowOfNumber(table, 12, 3);
    assert.equal(rowText(row), rowText(rowOfNumber(table, 12, 3)));
    const versions = Array.from({ length: 500 }, (_, version) => rowText(rowOfNumber(table, 12, version)));
    assert.equal(new Set(versions).size, versions.length, `${table.name}: versions that look the same`);
    assert.notEqual(rowText(keyOfNumber(table, 12)), rowText(keyOfNumber(table, 13)));
    assert.equal(rowText(encodeRow(decodeRow(row))), rowText(row));
  }
});
