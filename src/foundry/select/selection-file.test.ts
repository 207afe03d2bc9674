import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { canonicalHash } from "../../contract/canonical-json.ts";
import { loadContract } from "../../contract/parse.ts";
import { composeProduct } from "../build.ts";
import { designSpace, selectFor } from "./design-space.ts";
import type { FeatureSelection } from "./feature-selection.ts";
import { checkSelection, parseSelection } from "./selection-file.ts";

const examples = join(import.meta.dirname, "..", "..", "..", "examples");
const contract = loadContract(join(examples, "taobench-o", "contract.yaml"));
const other = loadContract(join(examples, "ycsb-c", "contract.yaml"));
const space = designSpace();
const overrides = { with: ["core/checkpoint"], without: ["architecture/observability"] };
const made = selectFor(contract, overrides);
const read = (selection: object) => parseSelection(JSON.stringify(selection, null, 2), "selection.json");
const check = (selection: FeatureSelection, wanted = contract) =>
  checkSelection(selection, wanted, space, "selection.json");

/** As an older or newer Lathe would have written it. */
function changed(leaves: readonly string[], changes: Partial<FeatureSelection> = {}): FeatureSelection {
  const sorted = [...leaves].sort();
  const decisions = sorted.map((path) => ({ path, origin: "rule" as const, because: "because" }));
  return { ...made, leaves: sorted, decisions, hash: canonicalHash({ leaves: sorted }), ...changes };
}

test("what was written is read, and builds what the same overrides select", () => {
  const selection = read(made);
  assert.deepEqual(selection, made);
  assert.doesNotThrow(() => check(selection));
  const plain = read(selectFor(contract));
  const [from, direct] = [composeProduct({ contract, selection: plain }), composeProduct({ contract })];
  assert.equal(from.selection.hash, direct.selection.hash);
  assert.deepEqual(from.selection.parts, direct.selection.parts);
  // A product's own selection.json holds its parts beside.
  assert.doesNotThrow(() => check(read(direct.selection)));
});

test("damaged and foreign files are refused with the way out", () => {
  assert.throws(() => parseSelection("{", "s.json"), { code: "CORRUPTION", message: /s\.json is not JSON/ });
  assert.throws(() => parseSelection("[]", "s.json"), { code: "FORMAT_UNKNOWN", message: /lathe select CONTRACT --out/ });
  const newer = /is of version 2, and this Lathe knows 1; build it with the newer one, or write one/;
  assert.throws(() => read({ ...made, version: 2 }), { code: "FORMAT_UNKNOWN", message: newer });
  const oneLine = /^s\.json is not JSON: [^\n]*; write one with lathe select CONTRACT --out FILE$/;
  assert.throws(() => parseSelection("hello\nworld\n", "s.json"), { code: "CORRUPTION", message: oneLine });
  assert.throws(() => parseSelection("null", "s.json"), { message: /is no selection \(Invalid input/ });
  assert.deepEqual(parseSelection(`\uFEFF${JSON.stringify(made)}`, "s.json"), made);
  const leaves = made.leaves.slice(1);
  assert.throws(() => read({ ...made, leaves }), { code: "CORRUPTION", message: /its hash does not fit/ });
  assert.throws(() => read({ ...changed(made.leaves), decisions: [] }), { code: "CORRUPTION" });
});

test("a selection for another contract, or that the model does not allow, is refused", () => {
  assert.throws(() => check(made, other), { code: "INVALID_ARGUMENT", message: /not made for this ycsb-c but for taobench-o/ });
  const busier = { ...contract, workload: { ...contract.workload, clients: 99 } };
  assert.throws(() => check(made, busier), {
    message: /another version of it; select again: lathe select CONTRACT --with core\/checkpoint --without architecture/,
  });
  const bare = changed(made.leaves.filter((leaf) => leaf !== "core/wal"));
  assert.throws(() => check(bare), { code: "INVALID_ARGUMENT", message: /no selection that the model allows: .*core\/wal/ });
});

test("a selection of another version of the model is refused with what is gone, new and dropped", () => {
  const dropped = "storage/ttl";
  const older = made.leaves.filter((leaf) => leaf !== "core/wal");
  const selection = changed([...older, "core/journal", dropped], { model: "0".repeat(64) });
  assert.throws(() => check(selection), (error: Error & { code: string; details: object }) => {
    assert.equal(error.code, "INVALID_ARGUMENT");
    assert.match(error.message, /another version of the feature model; what would change:/);
    assert.match(error.message, /gone from the model: core\/journal\n {2}new: core\/wal\n {2}not selected any more: storage\/ttl/);
    assert.deepEqual(error.details, { gone: ["core/journal"], added: ["core/wal"], dropped: [dropped] });
    return true;
  });
  const same = { ...made, model: "0".repeat(64) };
  assert.throws(() => check(same), { message: /its leaves would be the same; select again/ });
});
