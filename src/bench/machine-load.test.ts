import assert from "node:assert/strict";
import { test } from "node:test";
import { machineBusyUs, NeighbourLoad } from "./machine-load.ts";

test("what others keep busy is what remains, and never negative", () => {
  const load = new NeighbourLoad();
  assert.equal(load.cores, undefined);
  load.add(1_000_000, 2_000_000, 600_000, 0.5);
  load.add(2_000_000, 2_500_000, 500_000, 0.5);
  assert.equal(load.cores, 0.4);
  load.add(2_500_000, 2_500_000, 900_000, 1);
  assert.equal(load.cores, 0);
  load.add(undefined, undefined, 0, 1);
  assert.equal(load.cores, undefined);
});

test("the machine's busy time grows while we are busy", { skip: process.platform !== "linux" }, () => {
  const before = machineBusyUs() as number;
  for (const end = performance.now() + 200; performance.now() < end; );
  assert.ok((machineBusyUs() as number) - before >= 50_000);
});
