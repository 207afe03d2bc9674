import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadContract } from "../contract/parse.ts";
import { knobValuesOf, parseKnobFile } from "../kit/knob-file.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { assembleFiles, buildProduct, composeProduct, knobsOf } from "./build.ts";
import { composeParts, wiredComposition } from "./composition.ts";
import { loadPartDescriptors } from "./part-descriptor.ts";
import { noOverrides } from "./select/design-space.ts";

const examples = join(import.meta.dirname, "..", "..", "examples");
const tao = loadContract(join(examples, "taobench-a", "contract.yaml"));
const library = loadPartDescriptors();
const catalog = loadKnobCatalog();

function assemble(contract: typeof tao): Map<string, string> {
  const composed = composeProduct({ contract });
  const knobs = knobsOf(catalog, composed.selected);
  const input = { contract, contractText: "version: 1\n", knobCatalog: catalog };
  return assembleFiles(input, { ...composed, knobs }, {});
}

test("a leaf that was not selected contributes no line", () => {
  const cached = assemble(tao);
  const uncached = assemble({ ...tao, caching: { rowCache: "none" } });
  assert.match(cached.get("product.ts") ?? "", /createLruCache/);
  assert.match(cached.get("knobs.yaml") ?? "", /^row_cache.bytes: /m);
  for (const [path, text] of uncached) {
    if (path.startsWith("parts/")) assert.ok(!path.includes("/lru/"), path);
    if (["product.ts", "knobs.ts", "knobs.yaml"].includes(path)) assert.doesNotMatch(text, /lru|row_cache|rowCache/i, path);
  }
  const hash = (files: Map<string, string>) => JSON.parse(files.get("selection.json") ?? "").hash;
  assert.notEqual(hash(cached), hash(uncached));
});

test("a product runs fast only where its contract allows losses, and says what to write into it", () => {
  const strict = assemble(tao);
  assert.match(strict.get("product.ts") ?? "", /if \(profile === "fast"\) throw .*fastRefusal/);
  assert.match(strict.get("product.ts") ?? "", /put `storage: \{ durability: interval, loss_window_ms: 50 \}` into/);
  assert.match(strict.get("serve.ts") ?? "", /^ {2}fastRefusal,$/m);
  assert.ok(![...strict.keys()].some((path) => path.includes("relaxed_sync")));
  const relaxed = assemble({ ...tao, storage: { ...tao.storage, durability: "interval", lossWindowMs: 40 } });
  assert.match(relaxed.get("product.ts") ?? "", /lossWindowMs: 40,/);
  assert.match(relaxed.get("product.ts") ?? "", /logDurable: \(index\) => syncPolicy\?\.durable\(index\),/);
  assert.doesNotMatch(`${relaxed.get("product.ts")}${relaxed.get("serve.ts")}`, /fastRefusal/);
  assert.match(relaxed.get("knobs.yaml") ?? "", /^relaxed_sync.unsynced_bytes_max: /m);
});

test("the row cache's policy is a choice between two parts, of which one is carried", () => {
  const files = assemble({ ...tao, caching: { rowCache: "w_tinylfu" } });
  const product = files.get("product.ts") ?? "";
  assert.match(product, /import \{ createWTinyLfuCache \} from ".*\/w_tinylfu\/w-tinylfu-cache.ts"/);
  assert.match(product, /createWTinyLfuCache\(\{\n +capacityBytes: knobs\["row_cache.bytes"\],/);
  assert.match(product, /seed: env\.random\.u32\(\)/);
  assert.match(files.get("knobs.yaml") ?? "", /^row_cache.bytes: /m);
  const carried = [...files.keys()].filter((path) => path.startsWith("parts/storage/page_io/"));
  assert.ok(carried.some((path) => path.endsWith("/w_tinylfu/frequency-sketch.ts")), carried.join());
  assert.ok(!carried.some((path) => path.includes("/lru/")), carried.join());
  assert.ok(JSON.parse(files.get("selection.json") ?? "").leaves.includes("storage/page_io/replacement/w_tinylfu"));
});

test("secondary indexes are carried where a table has one, and nowhere else", () => {
  const [objects, ...others] = tao.data.tables;
  const indexes = [{ name: "by_timestamp", columns: ["timestamp"] }];
  const indexed = assemble({ ...tao, data: { ...tao.data, tables: [{ ...objects, indexes }, ...others] } });
  const product = indexed.get("product.ts") ?? "";
  assert.match(product, /createStateMachine\(\{ [^}]*, indexes: kvSecondary \}\)/);
  assert.match(product, /parser: createParser\(kvSecondary\.grammar\)/);
  assert.match(product, /indexedPlans: createIndexedPlans\(kvSecondary\)/);
  assert.ok(indexed.has("parts/indexing/equality/kv_secondary/entry-writes.ts"));
  const plain = assemble(tao);
  const carried = [...plain].filter(([path]) => /kv_secondary|indexed-/.test(path));
  assert.deepEqual(carried.map(([path]) => path), []);
  assert.doesNotMatch(plain.get("product.ts") ?? "", /kvSecondary|indexed/i);
});

test("open transactions are carried where the contract has interactive ones, and nowhere else", () => {
  const open = assemble({ ...tao, consistency: { ...tao.consistency, transactions: "interactive" } });
  const product = open.get("product.ts") ?? "";
  assert.match(product, /const steps = createStepRunner\(\{ catalog, layout: rowToKv \}\);/);
  assert.match(product, /createTransactions\(\{\n +env, engine, catalog, steps,\n +limits: \{\n +openMax: knobs\["transactions.open_max"\]/);
  assert.match(open.get("knobs.yaml") ?? "", /^transactions.idle_timeout_ms: /m);
  assert.ok(open.has("parts/concurrency/transaction/model/single_node_acid/open-transaction.ts"));
  const plain = assemble(tao);
  assert.deepEqual([...plain.keys()].filter((path) => /single_node_acid|run-steps/.test(path)), []);
  assert.doesNotMatch(plain.get("product.ts") ?? "", /createTransactions|transactions,/);
  assert.doesNotMatch(product, /isolation:/);
  const snapshot = assemble({ ...tao, consistency: { ...tao.consistency, transactions: "interactive", isolation: "snapshot" } });
  assert.match(snapshot.get("product.ts") ?? "", /createTransactions\(\{\n +env, engine, catalog, steps,\n +isolation: "snapshot",/);
  assert.match(snapshot.get("README.md") ?? "", /the first to commit wins.*Write skew is possible/s);
});

test("building is deterministic, and knob values do not change the selection", () => {
  assert.deepEqual(assemble(tao), assemble(tao));
  const busier = { ...tao, workload: { ...tao.workload, clients: 99 } };
  const [{ selection }, other] = [composeProduct({ contract: tao }), composeProduct({ contract: busier })];
  assert.equal(selection.hash, other.selection.hash);
  assert.notEqual(selection.contractHash, other.selection.contractHash);
});

test("the plan of a product has every leaf once, and every part implements leaves of it", () => {
  const { plan, selection, parts } = composeProduct({ contract: tao });
  const members = plan.contractNodes.filter(({ form }) => form === "unit");
  const planned = plan.order.flatMap((node) => members.find(({ path }) => path === node)?.members ?? [node]);
  assert.deepEqual(planned.filter((node) => !node.startsWith("contract/")).sort(), [...selection.leaves]);
  assert.deepEqual(plan.unmet, []);
  assert.deepEqual(selection.parts.map(({ path }) => path), parts.map(({ path }) => path));
  const implemented = new Set(selection.parts.flatMap(({ leaves }) => leaves));
  assert.deepEqual([...implemented].sort(), [...selection.leaves]);
});

test("knob values of the owner are carried over, stale ones are dropped and told", () => {
  const directory = mkdtempSync(join(tmpdir(), "lathe-build-"));
  try {
    const target = join(directory, "store");
    const input = { contract: tao, contractText: "version: 1\n", knobCatalog: catalog };
    const name = "lsm.block_cache_bytes";
    buildProduct({ ...input, knobs: { [name]: 8 << 20 } }, target);
    const file = join(target, "knobs.yaml");
    const values = () => knobValuesOf(parseKnobFile(readFileSync(file, "utf8"), file));
    assert.equal(values()[name], 8 << 20);
    writeFileSync(file, `${name}: ${9 << 20}\nlsm.gone: 1\nlsm.read_mode: nonsense\n`);
    const report = buildProduct(input, target);
    assert.deepEqual(report.carriedKnobs, [name]);
    assert.deepEqual(report.droppedKnobs.map((dropped) => dropped.name), ["lsm.gone", "lsm.read_mode"]);
    assert.equal(values()[name], 9 << 20);
    assert.equal(values()["lsm.read_mode"], catalog.find((knob) => knob.name === "lsm.read_mode")?.default);
    assert.equal(values()["lsm.gone"], undefined);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("every part's descriptor holds: knobs in the catalog, each knob's leaf declared by a part", () => {
  const known = new Set(catalog.map((knob) => knob.name));
  assert.ok(library.length >= 10);
  for (const part of library) {
    assert.deepEqual(part.knobs.filter((name) => !known.has(name)), [], part.name);
    assert.equal(part.leaves[0], part.path, `${part.name} lives at its primary leaf`);
  }
  const leaves = new Set(library.flatMap((part) => part.leaves));
  const owned = new Set(library.flatMap((part) => part.knobs));
  for (const knob of catalog) {
    assert.ok(leaves.has(knob.leaf), `${knob.name} belongs to ${knob.leaf}, which no part declares`);
    assert.ok(owned.has(knob.name), `${knob.name} belongs to no part`);
  }
});

test("what the wiring cannot do without, or holds twice, is refused by role", () => {
  const { leaves } = composeProduct({ contract: tao }).selection;
  const without = library.filter((part) => part.path !== "core/wal");
  assert.throws(() => wiredComposition(leaves, without), { code: "NOT_SELECTED", message: /role log\); the library has none/ });
  assert.deepEqual(composeParts(leaves, without).missing, ["core/wal", "recovery/auxiliary/preallocated_log"]);
  const both = [...leaves, "storage/page_io/replacement/w_tinylfu"];
  assert.throws(() => wiredComposition(both, library), { code: "INVALID_ARGUMENT", message: /role rowCache .* holds one part/ });
  assert.throws(() => wiredComposition(leaves.filter((leaf) => !leaf.startsWith("parser/impl")), library), {
    code: "NOT_SELECTED", message: /--with parser\/implementation\/recursive_descent/,
  });
  const overrides = { ...noOverrides, with: ["storage/storage_model/row/btree_clustered"] };
  assert.throws(() => composeProduct({ contract: tao, overrides }), { code: "NOT_SELECTED", message: /btree_clustered/ });
});
