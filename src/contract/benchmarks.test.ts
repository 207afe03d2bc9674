import assert from "node:assert/strict";
import { test } from "node:test";
import { createWorkload } from "../workload/create-workload.ts";
import { benchmarkProfiles } from "./benchmarks.ts";

test("tables and operations of every profile are those that its generator uses", () => {
  assert.ok(benchmarkProfiles.length >= 3);
  for (const { benchmark, profile, tables, operations } of benchmarkProfiles) {
    const workload = createWorkload({ benchmark, profile, scale: 1000, clients: 1, loop: "closed" });
    const shape = (all: typeof workload.tables) =>
      all.map(({ name, columns, primaryKey }) => ({
        name,
        primaryKey,
        columns: columns.map(
          ({ name: column, type, lengthMax, nullable }) => ({ column, type, lengthMax, nullable }),
        ),
      }));
    assert.deepEqual(shape(tables(1000)), shape(workload.tables), `${benchmark}/${profile}`);
    const stream = workload.client(7, 0, 1);
    const counts = new Map<string, number>();
    const draws = 4000;
    for (let turn = 0; turn < draws; turn++) {
      const name = stream.next().name;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const total = operations.reduce((sum, operation) => sum + operation.weight, 0);
    if (benchmark !== "ycsb" && benchmark !== "key_value") continue;
    for (const { name, weight } of operations) {
      const share = (counts.get(name) ?? 0) / draws;
      assert.ok(Math.abs(share - weight / total) < 0.04, `${benchmark}/${profile} ${name}: ${share}`);
    }
    assert.equal(counts.size, operations.length);
  }
});
