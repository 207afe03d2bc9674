/**
 * Selections sampled for a contract: `lathe build --selection` takes them, their products pass their own tests, and
 * what contradicts a contract is refused.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { canonicalHash } from "../contract/canonical-json.ts";
import type { Contract } from "../contract/contract.ts";
import { loadContract } from "../contract/parse.ts";
import { composeProduct } from "../foundry/build.ts";
import { runOwnTests } from "../foundry/own-tests.fixture.ts";
import { designSpace } from "../foundry/select/design-space.ts";
import type { FeatureSelection } from "../foundry/select/feature-selection.ts";
import { checkSelection, parseSelection } from "../foundry/select/selection-file.ts";
import { buildFromContract } from "./build.ts";
import { countSpace, type SampleArguments, sampleSpace, writeSample } from "./model-space.ts";

const examples = join(import.meta.dirname, "..", "..", "examples");
const scratch = mkdtempSync(join(tmpdir(), "lathe-sample-"));
after(() => rmSync(scratch, { recursive: true }));

const quiet = { progress: () => undefined };
const contractFile = (name: string) => join(examples, name, "contract.yaml");
const contractOf = (name: string) => loadContract(contractFile(name));
const noPicks = { with: [], without: [] };

function sampleOf(name: string, wanted: Partial<SampleArguments> = {}) {
  const contract = contractFile(name);
  return sampleSpace({ picks: noPicks, implemented: false, contract, kind: "uniform", seed: 1, count: 1, over: [], ...wanted }, quiet);
}

/** As it is written and read again. */
function written(selection: FeatureSelection | undefined): FeatureSelection {
  return parseSelection(JSON.stringify(selection), "sample.json");
}

function without(contract: Contract, selection: FeatureSelection, leaf: string): FeatureSelection {
  const leaves = selection.leaves.filter((one) => one !== leaf);
  const decisions = selection.decisions.filter(({ path }) => path !== leaf);
  assert.equal(selection.leaves.length - leaves.length, 1, `${contract.name} has ${leaf}`);
  return { ...selection, leaves, decisions, hash: canonicalHash({ leaves }) };
}

// That their wirings type-check is for `foundry/wirings.test.ts`.
test("all pairs of choices that a contract leaves open are in selections that are taken for it", () => {
  for (const name of ["session-store", "embedded"]) {
    const contract = contractOf(name);
    const sample = sampleOf(name, { kind: "pairwise", count: undefined });
    assert.deepEqual(sample.contract, { name: contract.name, hash: canonicalHash(contract) });
    assert.equal(sample.pairs?.covered, sample.pairs?.coverable, name);
    assert.ok(sample.selections.length >= 5, `${name}: ${sample.selections.length}`);
    sample.selections.forEach(({ selection }, at) => {
      const read = written(selection);
      assert.deepEqual(read.draw, { kind: "pairwise", seed: 1, number: at + 1, count: sample.selections.length });
      checkSelection(read, contract, designSpace(), "sample.json");
      const { selection: made } = composeProduct({ contract, selection: read });
      assert.deepEqual([made.leaves, made.withoutPart], [read.leaves, []]);
    });
  }
});

test("the same seed draws the same; a leaf says whether the contract asks for it, or the draw took it", () => {
  const [{ selection }] = sampleOf("taobench-o").selections;
  assert.deepEqual(sampleOf("taobench-o").selections[0].selection, selection);
  const becauseOf = (path: string) => selection?.decisions.find((one) => one.path === path);
  assert.match(becauseOf("core/wal")?.because ?? "", /what is acknowledged survives a crash/);
  assert.equal(becauseOf("replication/single_node")?.origin, "required");
  const drawn = selection?.decisions.filter(({ origin }) => origin === "drawn") ?? [];
  assert.ok(drawn.length > 3);
  assert.equal(drawn[0].because, "drawn (uniform, seed 1, 1 of 1)");
  assert.ok(selection?.excluded.some(({ path }) => path === "architecture/networking/transports/http"));
  const asked = sampleOf("taobench-o", { kind: "solver", picks: { with: ["parser/syntax/dml/replace"], without: [] } });
  const replace = asked.selections[0].selection?.decisions.find(({ path }) => path === "parser/syntax/dml/replace");
  assert.equal(replace?.origin, "asked");
  assert.deepEqual(asked.selections[0].selection?.overrides.with, ["parser/syntax/dml/replace"]);
});

test("sampled products are built from their files, and pass their own tests and their coverage", async () => {
  const names = ["ycsb-a-relaxed", "sndv-kv"];
  for (const [at, name] of names.entries()) {
    const directory = join(scratch, `samples-${name}`);
    await writeSample(directory, sampleOf(name, { kind: at === 0 ? "solver" : "uniform", seed: 5 }));
    const selectionFile = join(directory, "sample-1.json");
    buildFromContract({ contractFile: contractFile(name), directory: join(scratch, name), selectionFile });
    const built = JSON.parse(readFileSync(join(scratch, name, "selection.json"), "utf8")) as FeatureSelection;
    const file = JSON.parse(readFileSync(selectionFile, "utf8")) as FeatureSelection;
    assert.deepEqual([built.leaves, built.draw, built.contractHash], [file.leaves, file.draw, file.contractHash]);
  }
  const files = names.flatMap((name) => ["product", "coverage"].map((test) => join(name, "test", `${test}.test.ts`)));
  const report = runOwnTests(scratch, files);
  assert.ok(report.ok, `${report.failedTest}\n${report.output}`);
  assert.ok(report.tests >= 2 * names.length, `${report.tests} tests`);
});

test("a contract narrows what is counted, and leaves open what it does not decide", () => {
  const count = (contract: string | undefined) =>
    countSpace({ picks: noPicks, implemented: true, contract }, [], false, quiet).configurations ?? 0n;
  const [all, oneContract] = [count(undefined), count(contractFile("taobench-o"))];
  assert.ok(oneContract > 1000n && oneContract < all, `${oneContract} of ${all}`);
});

test("picks that contradict the contract are refused with what they contradict, before anything is drawn", () => {
  const refused = (name: string, picks: SampleArguments["picks"], message: RegExp) => {
    assert.throws(() => sampleOf(name, { picks }), { code: "INVALID_ARGUMENT", message });
  };
  refused("taobench-o", { with: [], without: ["core/wal"] }, /--without[^]*what is acknowledged survives/);
  const http = "architecture/networking/transports/http";
  refused("taobench-o", { with: [http], without: [] }, /asked for[^]*does not list http under surface\.protocols/);
  refused("taobench-o", { with: ["storage/page_io/replacement/lru"], without: [] }, /keeps them by how often they are used/);
  refused("sndv-kv", { with: ["indexing/equality/kv_secondary"], without: [] }, /have no secondary index/);
  refused("taobench-o", { with: ["storage/storage_model/row/heap"], without: [] }, /no part implements storage/);
  assert.throws(() => sampleOf("taobench-o", { contract: join(scratch, "none.yaml") }), { code: "NOT_FOUND" });
  const needing = join(scratch, "needing.yaml");
  const needs = "needs:\n  - { feature: indexing/fulltext, because: texts are searched by words }\n";
  writeFileSync(needing, `${readFileSync(contractFile("taobench-o"), "utf8")}\n${needs}`);
  assert.throws(() => sampleOf("taobench-o", { contract: needing }), {
    code: "INVALID_ARGUMENT", message: /indexing\/fulltext is needed by the workload: texts are searched by words/,
  });
});

test("a file of another contract, of none, or without what the contract depends on is refused with the way out", () => {
  const contract = contractOf("taobench-o");
  const [{ selection, leaves }] = sampleOf("taobench-o", { picks: { with: ["parser/syntax/dml/replace"], without: [] } }).selections;
  const drawn = written(selection);
  const check = (one: FeatureSelection, wanted = contract) => checkSelection(one, wanted, designSpace(), "sample.json");
  assert.throws(() => check(drawn, contractOf("ycsb-c")), {
    code: "INVALID_ARGUMENT",
    message: /not made for this ycsb-c but for taobench-o; draw again: lathe model sample --contract CONTRACT --uniform --seed 1 --count 1 --with parser\/syntax\/dml\/replace --out DIR/,
  });
  const bare = JSON.stringify({ name: "sample-1", kind: "uniform", seed: 1, leaves });
  assert.throws(() => parseSelection(bare, "s.json"), {
    code: "FORMAT_UNKNOWN", message: /for no contract; draw it for the contract: lathe model sample --contract/,
  });
  const cacheless = without(contract, drawn, "storage/page_io/replacement/w_tinylfu");
  assert.throws(() => check(written(cacheless)), {
    code: "INVALID_ARGUMENT", message: /contradicts what taobench-o asks for:\n {2}it lacks this: [^\n]*keeps them by how often they are used[^\n]*$/,
  });
});
