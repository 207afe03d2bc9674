/**
 * Scenarios that once showed a defect, each run again: `lathe sim --kept FILE` runs one by hand.
 *
 * They are kept as scenarios, not as seeds, since a seed draws another scenario whenever something is added to draw.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runOnce } from "../../../src/app/simulation/simulation-task.ts";
import type { Scenario } from "../../../src/simulation/scenario.ts";

const names = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".json"));

for (const name of names) {
  test(`kept: ${name.replace(/\.json$/, "").replaceAll("-", " ")}`, async () => {
    const scenario = JSON.parse(readFileSync(join(import.meta.dirname, name), "utf8")) as Scenario;
    const { failure, events } = await runOnce(scenario);
    assert.equal(failure, undefined);
    assert.ok(events > 0, `${events} events`);
  });
}

test("there are kept scenarios", () => {
  assert.ok(names.length >= 5, `${names.length} files`);
});
