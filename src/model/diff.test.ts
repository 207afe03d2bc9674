import assert from "node:assert/strict";
import { test } from "node:test";
import { buildModel } from "./build-model.ts";
import { diffModels } from "./diff.ts";
import { smallModel } from "./differential.fixture.ts";
import type { FeatureModel } from "./feature-model.ts";
import { readUvl } from "./formats/uvl-reader.ts";
import { loadModel } from "./load-model.ts";
import { allSelections } from "./random-model.fixture.ts";

const selectionsOf = (model: FeatureModel) => new Set(allSelections(model).map((one) => [...one].sort().join(" ")));

test("the kind of an edit is that of brute force, and its witnesses separate the versions", () => {
  const kinds = new Map<string | undefined, number>();
  for (let seed = 1; seed <= 400; seed++) {
    const before = smallModel(seed);
    // The same model without an edge, the other way round at times, or another model.
    const less = buildModel({
      name: "less", features: before.features.map((one) => ({ ...one, groupName: String(one.group) })),
      edges: before.edges.slice(1), constraints: before.constraints,
    });
    const counted = before.groups.some(({ relation }) => relation === "cardinality");
    const pairs = [[before, less], [less, before], [before, smallModel(seed + 1)]] as const;
    for (const [one, other] of counted ? pairs.slice(2) : pairs) {
      const found = diffModels(one, other);
      kinds.set(found.kind, (kinds.get(found.kind) ?? 0) + 1);
      if (found.kind === undefined) continue;
      const [left, right] = [selectionsOf(one), selectionsOf(other)];
      const lost = [...left].some((selection) => !right.has(selection));
      const won = [...right].some((selection) => !left.has(selection));
      const expected = lost ? (won ? "arbitrary" : "specialisation") : won ? "generalisation" : "refactoring";
      assert.equal(found.kind, expected, `seed ${seed}`);
      const text = (paths: readonly string[] | undefined) => paths?.toSorted().join(" ") ?? "";
      if (lost) assert.ok(left.has(text(found.onlyBefore)) && !right.has(text(found.onlyBefore)));
      if (won) assert.ok(right.has(text(found.onlyAfter)) && !left.has(text(found.onlyAfter)));
    }
  }
  for (const kind of ["refactoring", "specialisation", "generalisation", "arbitrary"]) {
    assert.ok((kinds.get(kind) ?? 0) > 5, `${kind}: ${kinds.get(kind)}`);
  }
});

test("the catalog's model does not differ from itself", () => {
  const found = diffModels(loadModel(), loadModel());
  assert.deepEqual([found.same, found.kind, found.added, found.edgesAdded], [true, "refactoring", [], []]);
});

test("what restricts nothing, conditions and bounds of groups are told too", () => {
  const made = (description: string, reason: string, condition: string, max: number) => readUvl(`features
\tr
\t\toptional
\t\t\ta {doc '${description}', reference [{to 'b', reason '${reason}'}]}
\t\t\tb
\t\t\tg
\t\t\t\t[1..${max}]
\t\t\t\t\tc
\t\t\t\t\td
\t\t\t\t\te
constraints
\t${condition}
`, "m.uvl");
  const before = made("x", "y", "a | b", 2);
  assert.equal(diffModels(before, made("x", "y", "a | b", 2)).same, true);
  const found = diffModels(before, made("z", "w", "a | g", 3));
  assert.equal(found.same, false);
  assert.deepEqual(found.moved, ["c", "d", "e"]);
  assert.deepEqual([found.conditionsAdded, found.conditionsRemoved], [["a | g"], ["a | b"]]);
  assert.deepEqual(found.changed, [
    { what: "a", fields: ["description"] }, { what: "a reference b", fields: ["reason"] },
  ]);
});
