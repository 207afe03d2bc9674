import assert from "node:assert/strict";
import { test } from "node:test";
import { buildModel } from "../build-model.ts";
import { formatExpression } from "../expression.ts";
import type { FeatureModel } from "../feature-model.ts";
import { loadModel } from "../load-model.ts";
import { allSelections, randomModel } from "../random-model.fixture.ts";
import { RandomNumbers } from "../random-numbers.ts";
import { Solver } from "../solver.ts";
import { writeDimacs } from "./dimacs.ts";
import { readDimacs } from "./dimacs-reader.ts";
import { readFeatureIde } from "./feature-ide.ts";
import { readModelJson, writeModelJson } from "./model-json.ts";
import { readUvl } from "./uvl-reader.ts";
import { writeUvl } from "./uvl-writer.ts";

/** All that a model says, as plain data. */
function contentOf(model: FeatureModel) {
  const constraints = model.constraints.map(({ expression, ...rest }) => {
    return { text: formatExpression(expression), ...rest };
  });
  return { name: model.name, features: model.features, groups: model.groups, edges: model.edges, constraints };
}

const catalog = loadModel();

test("the catalog survives UVL and JSON without loss, and the same text comes out again", () => {
  for (const [write, read] of [[writeUvl, readUvl], [writeModelJson, readModelJson]] as const) {
    const text = write(catalog);
    const again = read(text, "model");
    assert.deepEqual(contentOf(again), contentOf(catalog));
    assert.equal(write(again), text);
  }
});

test("three hundred random models survive UVL and JSON", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const shape = { features: 2 + (seed % 30), edges: 8, constraints: 3, childrenMax: 5 };
    const model = randomModel(new RandomNumbers(seed), shape);
    assert.deepEqual(contentOf(readUvl(writeUvl(model), "m.uvl")), contentOf(model), `seed ${seed}, UVL`);
    assert.deepEqual(contentOf(readModelJson(writeModelJson(model), "m.json")), contentOf(model), `seed ${seed}, JSON`);
  }
});

test("texts and attributes that UVL's strings cannot hold survive it", () => {
  const description = "it's 1.5 \\ times\nas \"long\"";
  const attributes = { "odd key": [1, -2.5, true, "a.b", { deep: ["x"] }], cost: 3 };
  const model = buildModel({
    name: "odd names",
    features: [{ path: "a b/c.d", parent: undefined, relation: "mandatory", description, attributes }],
  });
  assert.deepEqual(contentOf(readUvl(writeUvl(model), "m.uvl")), contentOf(model));
});

const foreign = `namespace Sandwich // a comment
include
	Boolean.group-cardinality
features
    Sandwich {extended__ true}
        mandatory
            Bread {calories 120, flavours ['rye', 'wheat']}
                alternative
                    "Full Grain"
                    Flatbread
        optional
            Sauce
                or
                    Ketchup
                    Mustard
            Integer Slices
            Cheese
                [1..2]
                    Gouda
                    Cheddar
                    Brie
constraints
    Ketchup => Cheese
    !(Mustard & Gouda)
    Brie => !Flatbread
    (Ketchup | Mustard) <=> Sauce
    Cheddar & (
        Slices
    ) => Mustard
`;

test("a foreign UVL file is read: quoted names, groups, counts, comments, types, lines that go on", () => {
  const model = readUvl(foreign, "sandwich.uvl");
  assert.equal(model.name, "Sandwich");
  assert.deepEqual(model.groupOf("Brie"), {
    parent: "Cheese", relation: "cardinality", members: ["Gouda", "Cheddar", "Brie"], min: 1, max: 2,
  });
  assert.equal(model.feature("Slices").attributes.uvl_type, "Integer");
  assert.deepEqual(model.feature("Bread").attributes, { calories: 120, flavours: ["rye", "wheat"] });
  assert.deepEqual(model.edges.map(({ kind, from, to }) => [kind, from, to]), [
    ["requires", "Ketchup", "Cheese"], ["mutex", "Mustard", "Gouda"], ["mutex", "Brie", "Flatbread"],
  ]);
  assert.equal(model.constraints.length, 2);
  assert.equal(model.edges[0].origin?.line, 23);
  const again = readUvl(writeUvl(model), "again.uvl");
  assert.deepEqual(contentOf(again), contentOf(model));
});

const mistakes: readonly (readonly [string, string, RegExp])[] = [
  ["Flatbread\n", "Flatbread\n                Toast\n", /m\.uvl:11:\d+: expected mandatory, optional, alternative/],
  ["or\n", "either\n", /m\.uvl:13:17: expected mandatory, optional, alternative, or, or \[n\.\.m\], found either/],
  ["Ketchup => Cheese", "Ketchup => => Cheese", /m\.uvl:23:5: unexpected "=>"/],
  ["Ketchup => Cheese", "sum(calories) < 5", /m\.uvl:23:\d+: conditions over numbers/],
  ["Ketchup => Cheese", "Ketchup => Chese", /m\.uvl:23: requires names Chese, .* nearest: Cheese/],
  ["Gouda\n", "Bread\n", /m\.uvl:19: Bread stands twice, first in m\.uvl:7/],
  ["calories 120", "calories 12 0", /m\.uvl:7:\d+: expected ,/],
  ["[1..2]", "[4..5]", /m\.uvl:19: the group below Cheese wants \[4\.\.5\] of 3 features/],
];

test("mistakes in UVL are told with line and column", () => {
  for (const [find, replace, says] of mistakes) {
    assert.ok(foreign.includes(find));
    assert.throws(() => readUvl(foreign.replace(find, replace), "m.uvl"), { code: "INVALID_ARGUMENT", message: says });
  }
  for (const text of ["", "features\n", "features\n\ta\n\tb\n", `features\n\ta {${"x {".repeat(1000)}`]) {
    assert.throws(() => readUvl(text, "m.uvl"), { code: "INVALID_ARGUMENT" }, text.slice(0, 30));
  }
});

test("DIMACS has as many models as brute force finds selections", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const model = randomModel(new RandomNumbers(seed), { features: 8, edges: 4, constraints: 2, childrenMax: 4 });
    const lines = writeDimacs(model).split("\n");
    const head = lines.find((line) => line.startsWith("p cnf"))?.split(" ") ?? [];
    const clauses = lines.slice(lines.findIndex((line) => line.startsWith("p cnf")) + 1, -1);
    assert.equal(clauses.length, Number(head[3]));
    const solver = new Solver(Number(head[2]));
    for (const line of clauses) solver.addClause(line.split(" ").map(Number).slice(0, -1));
    let models = 0;
    while (solver.solve()) {
      models++;
      const all = Array.from({ length: solver.variables }, (_, at) => at + 1);
      solver.addClause(all.map((variable) => (solver.value(variable) ? -variable : variable)));
    }
    assert.equal(models, allSelections(model).length, `seed ${seed}`);
  }
});

test("a FeatureIDE model is read: tree, groups and rules", () => {
  const model = readFeatureIde(
    `<?xml version="1.0" encoding="UTF-8"?>
<!-- made by hand -->
<featureModel>
  <struct>
    <and abstract="true" mandatory="true" name="Base">
      <description>top &amp; all</description>
      <alt mandatory="true" name="Edges"><feature name="Directed"/><feature name="Undirected"/></alt>
      <or name="Algorithms"><feature name="Cycle"/><feature name="Shortest"/></or>
    </and>
  </struct>
  <constraints>
    <rule><imp><var>Cycle</var><var>Directed</var></imp></rule>
    <rule><disj><not><var>Shortest</var></not><conj><var>Directed</var><var>Edges</var></conj></disj></rule>
  </constraints>
</featureModel>`,
    "model.xml",
  );
  assert.deepEqual(model.features.map(({ path, relation }) => [path, relation]), [
    ["Base", "mandatory"], ["Edges", "mandatory"], ["Directed", "xor"], ["Undirected", "xor"],
    ["Algorithms", "optional"], ["Cycle", "or"], ["Shortest", "or"],
  ]);
  assert.equal(model.root.description, "top & all");
  assert.equal(allSelections(model).length, 5);
  const unclosed = "<featureModel>\n<struct>\n</featureModel>";
  assert.throws(() => readFeatureIde(unclosed, "m.xml"), /m\.xml:3: <\/featureModel>/);
});

test("DIMACS is read back with as many selections, under the names of its comments", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const shape = { features: 7, edges: 4, constraints: 2, childrenMax: 4 };
    const model = randomModel(new RandomNumbers(seed), shape);
    const flat = readDimacs(writeDimacs(model), "m.cnf");
    assert.equal(flat.root.path, "m.cnf");
    for (const { path } of model.features) assert.equal(flat.feature(path).parent, "m.cnf");
    assert.equal(allSelections(flat).length, allSelections(model).length, `seed ${seed}`);
  }
  const whole = readDimacs(writeDimacs(catalog), "catalog.cnf");
  const requires = (from: FeatureModel) => from.edgesFrom("recovery/strategy/wal_only").some(({ to }) => to === "core/wal");
  assert.ok(requires(whole) && requires(catalog));
});

test("foreign DIMACS: clauses over several lines, no names, an empty clause; mistakes with their line", () => {
  const model = readDimacs("c made by hand\nc 2 b\np cnf 3 4\n-1\n2 0 -2 -3 0\n1 -1 0 1 2\n3 0\n%\n0\n", "x.cnf");
  assert.deepEqual(model.features.map(({ path }) => path), ["x.cnf", "v1", "b", "v3"]);
  assert.deepEqual(model.edges.map(({ kind, from, to }) => [kind, from, to]), [["requires", "v1", "b"], ["mutex", "v3", "b"]]);
  assert.equal(model.constraints.length, 1);
  assert.equal(allSelections(readDimacs("p cnf 1 1\n0\n", "void.cnf")).length, 0);
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["", /x\.cnf:1: there is no line p cnf/], ["1 0\n", /:1: a clause stands before the line p cnf/],
    ["p cnf 1\n", /:1: expected p cnf VARIABLES CLAUSES, found "p cnf 1"/], ["p cnf 1 1\n1 x 0\n", /:2: "x" is no literal/],
    ["p cnf 1 1\n2 0\n", /:2: 2 is beyond the 1 variables/], ["p cnf 1 1\n1\n", /the last clause \(1\) is not ended by 0/],
    ["p cnf 1 2\n1 0\n", /2 clauses are announced, and there are 1/], ["p cnf 1 0\np cnf 1 0\n", /:2: a second line p cnf/],
    ["c 1 a\nc 2 a\np cnf 2 0\n", /a stands twice/],
  ];
  for (const [text, message] of wrong) assert.throws(() => readDimacs(text, "x.cnf"), { code: "INVALID_ARGUMENT", message });
  assert.throws(() => readDimacs("p cnf 999999999 0\n", "x.cnf"), { code: "LIMIT_EXCEEDED" });
});
