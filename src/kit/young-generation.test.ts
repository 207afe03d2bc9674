import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

/** A process that makes objects of which a part stays for a while; it prints the bytes of its young generation. */
const source = (bounded: boolean) => `
  import { boundYoungGeneration, youngGenerationBytes } from ${JSON.stringify(import.meta.resolve("./young-generation.ts"))};
  if (${bounded}) boundYoungGeneration(8 << 20);
  const kept = [];
  for (let turn = 0; turn < 1500; turn++) {
    for (let i = 0; i < 3000; i++) kept[(turn * 3000 + i) % 30000] = { i, list: [i] };
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  console.log(youngGenerationBytes());`;

test("the young generation ends its growth at the bound; without one it goes on growing", () => {
  const bytes = [true, false].map((bounded) => {
    const run = spawnSync(process.execPath, ["--input-type=module", "-e", source(bounded)], { encoding: "utf8" });
    assert.equal(run.status, 0, run.stderr);
    return Number(run.stdout);
  });
  assert.ok(bytes[0] <= 8 << 20, `bounded: ${bytes[0]}`);
  assert.ok(bytes[1] > 16 << 20, `unbounded: ${bytes[1]}`);
});
