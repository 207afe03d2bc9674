/** Every example can be studied, or is refused with what can be done instead. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { composeProduct, knobsOf } from "../foundry/build.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { createSpace } from "../search/space.ts";
import { loadDrivenContract } from "./contract.ts";

const examples = join(import.meta.dirname, "..", "..", "examples");
const contractFiles = readdirSync(examples)
  .map((name) => join(examples, name, "contract.yaml"))
  .filter((file) => existsSync(file));

test("the product of every example with a server has knobs that a study may vary", () => {
  const servers = contractFiles.filter((file) => !file.includes("embedded"));
  assert.ok(servers.length >= 8, "no examples were looked at");
  for (const file of servers) {
    const { contract } = loadDrivenContract(file);
    const knobs = knobsOf(loadKnobCatalog(), composeProduct({ contract }).selected);
    assert.ok(createSpace(knobs).knobs.length > 0, file);
  }
});

test("a library has no server to measure: run, bench and evolve say so", () => {
  const file = join(examples, "embedded", "contract.yaml");
  assert.throws(() => loadDrivenContract(file), { code: "INVALID_ARGUMENT", message: /no server to measure/ });
});
