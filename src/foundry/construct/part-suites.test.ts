/** Every part of every example product has a suite that runs in its own layer: no part is laid down on trust. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadContract } from "../../contract/parse.ts";
import { loadKnobCatalog } from "../../knobs/catalog.ts";
import { assembleFiles, composeProduct, knobsOf } from "../build.ts";
import { layOut } from "./build-layer.ts";

const examples = join(import.meta.dirname, "..", "..", "..", "examples");
const names = readdirSync(examples).filter((name) => existsSync(join(examples, name, "contract.yaml")));

function layersOf(name: string) {
  const contract = loadContract(join(examples, name, "contract.yaml"));
  const composed = composeProduct({ contract });
  const knobCatalog = loadKnobCatalog();
  const knobs = knobsOf(knobCatalog, composed.selected);
  const files = assembleFiles({ contract, contractText: "version: 1\n", knobCatalog }, { ...composed, knobs }, {});
  return layOut(composed.plan, Object.values(composed.selected), files);
}

test("each part of each example has a suite in its own layer", () => {
  assert.ok(names.length >= 6);
  const without = names.flatMap((name) => layersOf(name).flatMap(({ number, parts, suites }) =>
    parts.filter((part) => !suites.some((suite) => suite.part === part.name))
      .map((part) => `${name}: ${part.name} (layer ${number})`)));
  assert.deepEqual(without, []);
});
