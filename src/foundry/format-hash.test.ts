/** What changes the formats on disk and what does not, over products of the library. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Contract } from "../contract/contract.ts";
import { loadContract } from "../contract/parse.ts";
import { composeProduct, wiringFiles } from "./build.ts";
import { formatHashOf } from "./format-hash.ts";
import { noOverrides } from "./select/design-space.ts";

const examples = join(import.meta.dirname, "..", "..", "examples");
const tao = loadContract(join(examples, "taobench-o", "contract.yaml"));

function hashes(contract: Contract, without: string[] = []) {
  const { selected, selection } = composeProduct({ contract, overrides: { ...noOverrides, without } });
  return { formats: formatHashOf(selected), selection: selection.hash };
}

test("what has no bytes on disk changes the selection's hash and not the formats'", () => {
  const built = hashes(tao);
  assert.match(built.formats, /^[0-9a-f]{64}$/);
  assert.deepEqual(hashes(tao), built);
  const [objects] = tao.data.tables;
  const wider = { ...objects, columns: [...objects.columns, { ...objects.columns[1], name: "more" }] };
  assert.equal(hashes({ ...tao, data: { ...tao.data, tables: [wider] } }).formats, built.formats);
  const others = {
    metrics: hashes(tao, ["architecture/observability"]),
    "row cache": hashes({ ...tao, caching: { rowCache: "none" } }),
    "open transactions": hashes({ ...tao, consistency: { ...tao.consistency, transactions: "interactive" } }),
    "loss window": hashes({ ...tao, storage: { ...tao.storage, durability: "interval", lossWindowMs: 40 } }),
  };
  for (const [name, other] of Object.entries(others)) {
    assert.notEqual(other.selection, built.selection, name);
    assert.equal(other.formats, built.formats, name);
  }
});

test("another engine, indexes and a key-value store are other formats, and so is a part at another path", () => {
  const { selected } = composeProduct({ contract: tao });
  const [objects] = tao.data.tables;
  const indexed = { ...objects, indexes: [{ name: "by_timestamp", columns: ["timestamp"] }] };
  const log = { ...selected.log, path: "core/other_wal" } as typeof selected.log;
  const found = [
    hashes(tao).formats,
    hashes({ ...tao, storage: { ...tao.storage, placement: "memory" }, caching: { rowCache: "none" } }).formats,
    hashes({ ...tao, data: { ...tao.data, tables: [indexed] } }).formats,
    hashes(loadContract(join(examples, "sndv-kv", "contract.yaml"))).formats,
    formatHashOf({ ...selected, log }),
  ];
  assert.equal(new Set(found).size, found.length, found.join("\n"));
});

test("a product exports both hashes, and gives that of its formats to all that writes files", () => {
  for (const example of ["taobench-o", "embedded"]) {
    const contract = loadContract(join(examples, example, "contract.yaml"));
    const { selected, selection } = composeProduct({ contract });
    const text = wiringFiles(contract, selected, selection.hash, []).get("product.ts") ?? "";
    assert.ok(text.includes(`export const selectionHash = "${selection.hash}";`), example);
    assert.ok(text.includes(`export const formatHash = "${formatHashOf(selected)}";`), example);
    assert.equal(text.split("selectionHash: formatHash,").length - 1, 3, example);
    assert.equal(text.split("selectionHash").length - 1, 4, example);
  }
});
