import assert from "node:assert/strict";
import { test } from "node:test";
import { createWorkload } from "../create-workload.ts";
import { parseTaoMix, readTaoMix, taoProfiles } from "./workload-file.ts";

const mean = (weighted: readonly { readonly value: number; readonly weight: number }[]) => {
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
  return weighted.reduce((sum, { value, weight }) => sum + value * weight, 0) / total;
};

test("both profiles say what TAOBench's paper and files say", () => {
  for (const profile of taoProfiles) {
    const mix = readTaoMix(profile);
    assert.ok(Math.abs(mean(mix.readTransactionSizes) - 19.18) < 0.01);
    assert.ok(Math.abs(mean(mix.writeTransactionSizes) - 5.3) < 0.01);
    assert.equal(mix.primaryShards.length, 50);
    assert.equal(mix.primaryShards.reduce((sum, weight) => sum + weight), 162622);
    assert.equal(mix.remoteShards.reduce((sum, weight) => sum + weight), 45728);
    assert.deepEqual([...new Set(mix.readSteps.map(({ value }) => value))], ["readObject", "readEdge"]);
  }
  assert.deepEqual(readTaoMix("o").operations, [8387, 19, 242, 1]);
  assert.deepEqual(readTaoMix("a").operations, [171, 57, 15, 1]);
});

test("a malformed file is refused with its place, and an unknown profile with those there are", () => {
  const invalid = (text: string, message: RegExp) =>
    assert.throws(() => parseTaoMix(text, "x.json"), { code: "INVALID_ARGUMENT", message });
  invalid('{"name": "operations", "weights": [1]}\n{"name": ', /x\.json:2/);
  invalid('{"name": "operations", "weights": [1, -2]}', /x\.json:1/);
  invalid('{"name": "operations", "weights": [1]}', /lacks the line "read_operation_types"/);
  const line = '{"name": "operations", "weights": [1]}\n{"name": "read_operation_types",';
  invalid(`${line} "values": ["obj_read"], "weights": [1, 2]}`, /1 values and 2 weights/);
  invalid(`${line} "values": ["toString"], "weights": [1]}`, /unknown value "toString"/);
  const spec = { benchmark: "taobench", profile: "t", scale: 10, clients: 1, loop: "closed" } as const;
  assert.throws(() => createWorkload(spec), { code: "INVALID_ARGUMENT", message: /there are o, a/ });
  assert.throws(() => createWorkload({ ...spec, profile: "o", scale: 0 }), { code: "INVALID_ARGUMENT" });
  assert.throws(() => createWorkload({ ...spec, benchmark: "ycsb" }), { code: "INVALID_ARGUMENT" });
});

test("even one edge makes a workload that reads only what is there", () => {
  const workload = createWorkload({ benchmark: "taobench", profile: "o", scale: 1, clients: 1, loop: "closed" });
  const rows = [...workload.load(10)].flatMap((batch) => batch.rows);
  assert.equal(rows.length, 3);
  const stream = workload.client(1, 0, 1);
  const keys = new Set(Array.from({ length: 200 }, () => stream.next()).flatMap(({ steps }) =>
    steps.flatMap((step) => (step.kind === "read" ? [step.key[0]] : []))));
  assert.equal(keys.size, 1);
});
