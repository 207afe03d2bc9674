import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Knob } from "../knobs/knob.ts";
import { ownerKnobs } from "./owner-knobs.ts";
import { replaceProduct } from "./product-directory.ts";
import { manifestPath } from "./product-manifest.ts";

const common = { description: "", leaf: "core/wal", impact: "low", risk: "none", effect: "restart" } as const;
const integer = (name: string, start: number, constraints: readonly string[] = []): Knob =>
  ({ ...common, name, type: "integer", default: start, min: 1, max: 100, constraints }) as unknown as Knob;
const knobs = [integer("a.one", 10), integer("a.two", 20), integer("a.three", 30, ["a.three > a.two"])];

/** Of a product that was built with `written` and then says `text`. */
function read(text: string, written: Record<string, number> | undefined, granted: Record<string, number> = {}) {
  const directory = mkdtempSync(join(tmpdir(), "lathe-owner-knobs-"));
  try {
    const [target, aside] = [join(directory, "store"), join(directory, ".store.previous")];
    const options = { force: false, carried: [], ...(written === undefined ? {} : { knobDefaults: written }) };
    replaceProduct(target, "store", "0".repeat(64), new Map([["knobs.yaml", "# as built\n"]]), options);
    writeFileSync(join(target, "knobs.yaml"), text);
    const found = ownerKnobs(target, knobs, granted);
    renameSync(target, aside);
    assert.deepEqual(ownerKnobs(target, knobs, granted), found, "where a build that was killed put it aside, too");
    assert.equal(readFileSync(join(aside, manifestPath), "utf8").includes("knobDefaults"), written !== undefined);
    return found;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const built = { "a.one": 10, "a.two": 20, "a.three": 30 };

test("what the build wrote of itself is not the owner's, though the next one would write another value", () => {
  const older = { ...built, "a.one": 7 };
  assert.deepEqual(read("a.one: 7\na.two: 20\na.three: 30\n", older), { carried: {}, dropped: [] });
  assert.deepEqual(read("a.one: 7\n", undefined).carried, { "a.one": 7 }, "a product of before says nothing of it");
});

test("a value that is the catalog's default is the owner's where the contract gave another", () => {
  assert.deepEqual(read("a.one: 10\na.two: 20\n", { ...built, "a.one": 64 }, { "a.one": 64 }).carried, { "a.one": 10 });
});

test("what cannot be taken over is told, each with its reason", () => {
  const { carried, dropped } = read("a.one: 11\na.two: 2000\na.gone: true\n", built);
  assert.deepEqual(carried, { "a.one": 11 });
  assert.deepEqual(dropped, [
    { name: "a.two", value: 2000, because: "expected at most 100, found 2000" },
    { name: "a.gone", value: true, because: "this product has no such knob" },
  ]);
  const broken = read("a.one: 11\na.two: 31\n", built);
  assert.deepEqual(broken.carried, {});
  assert.deepEqual(broken.dropped.map(({ name }) => name), ["a.one", "a.two"]);
  assert.match(broken.dropped[0].because, /a\.three > a\.two of a\.three does not hold/);
});
