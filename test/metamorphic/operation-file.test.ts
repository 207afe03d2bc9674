/** Operation files: what is written is read again, what is wrong is refused with its line, a seed means one program. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { formatBytes, formatOperationFile, parseOperationFile } from "../../src/gates/metamorphic/operation-file.ts";
import { generateOperations, generatorVersion } from "../../src/gates/metamorphic/operation-generator.ts";
import { featureNames } from "../../src/gates/metamorphic/operation.ts";

test("generated programs are the same after writing and reading, with every feature and none", () => {
  const kinds = new Set<string>();
  for (let seed = 0; seed < 150; seed++) {
    const file = generateOperations(seed, { features: seed % 2 === 0 ? [...featureNames] : [] });
    const text = formatOperationFile(file);
    const again = parseOperationFile(text);
    assert.equal(formatOperationFile(again), text, `seed ${seed}`);
    assert.equal(again.operations.length, file.operations.length);
    for (const { kind } of file.operations) kinds.add(kind);
  }
  assert.equal(kinds.size, 26, [...kinds].join(" "));
});

test("every byte string is one word and comes back", () => {
  const bytes = fc.array(fc.nat(255), { maxLength: 60 }).map((codes) => String.fromCharCode(...codes));
  const repeated = fc.tuple(bytes, fc.nat(500)).map(([unit, length]) => unit.repeat(50).slice(0, length));
  fc.assert(
    fc.property(fc.oneof(bytes, repeated), (text) => {
      const word = formatBytes(text);
      assert.match(word, /^\S+$/);
      const { operations } = parseOperationFile(`lathe-operations version=1 seed=1 features=-\nget ${word}\n`);
      assert.deepEqual(operations, [{ kind: "get", key: text, at: undefined }]);
    }),
    { numRuns: 500 },
  );
});

test("a seed means one program: the recorded ones are generated still", () => {
  const directory = join(import.meta.dirname, "golden");
  const names = readdirSync(directory).filter((name) => /^generated-\d+\.ops$/.test(name));
  assert.ok(names.length >= 3);
  for (const name of names) {
    const text = readFileSync(join(directory, name), "utf8");
    const { seed, features } = parseOperationFile(text);
    const length = 40;
    const way = `the generator changed: raise generatorVersion (now ${generatorVersion}) and record ${name} anew`;
    assert.equal(formatOperationFile(generateOperations(seed, { features, length })), text, way);
  }
});

test("what is no operation file is refused, with the line and what is wrong", () => {
  const header = "lathe-operations version=1 seed=1 features=-\n";
  const refused: readonly (readonly [string, RegExp])[] = [
    ["", /line 1: it begins with `lathe-operations version=1/],
    ["lathe-operations version=1 seed=1 features=wings\n", /line 1: there is no feature wings|no feature wings/],
    [`${header}fly k1\n`, /line 2: it knows no operation fly/],
    [`${header}get\n`, /line 2: it lacks a byte string/],
    [`${header}get k1 k2\n`, /line 2: it has k2 after its end/],
    [`${header}# comment\nget k%1\n`, /line 3: it has k%1 where a byte string is due/],
    [`${header}write put a b delete c\n`, /changes apart by ;/],
    [`${header}next c1 many\n`, /where a number is due/],
  ];
  for (const [text, message] of refused) assert.throws(() => parseOperationFile(text), { code: "INVALID_ARGUMENT", message });
  assert.throws(() => parseOperationFile("lathe-operations version=2 seed=1 features=-\n"), { code: "FORMAT_UNKNOWN" });
});
