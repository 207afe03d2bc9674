/** Every mutant is well formed and applies to a product as it is built today. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { loadContract } from "../contract/parse.ts";
import { buildProduct } from "../foundry/build.ts";
import { sourceRoot } from "../foundry/part-descriptor.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { httpProductGates, libraryGates, productGates } from "./gate-table.ts";
import { loadMutants, type Mutant, mutatedFiles, plantMutant, twinProblems } from "./mutant.ts";

const scratch = mkdtempSync(join(tmpdir(), "lathe-mutants-"));
const usual = "taobench-o";
const mutants = loadMutants();
const examples = [...new Set([usual, ...mutants.flatMap(({ contract }) => contract ?? [])])];

before(() => {
  for (const example of examples) {
    const contractFile = join(import.meta.dirname, "..", "..", "examples", example, "contract.yaml");
    const contractText = readFileSync(contractFile, "utf8");
    const input = { contract: loadContract(contractFile), contractText, knobCatalog: loadKnobCatalog() };
    buildProduct(input, join(scratch, example));
  }
});
after(() => rmSync(scratch, { recursive: true, force: true }));

test("the faults that coding agents are known to plant are there, and harmless variants too", () => {
  const names = mutants.map(({ name }) => name);
  const wanted = [
    "skip-fsync", "ack-early", "drop-writes-under-load", "canned-answers", "stale-cache", "unbounded-block-cache",
    "defer-compaction", "split-batch",
  ];
  assert.deepEqual(wanted.filter((name) => !names.includes(name)), []);
  assert.ok(mutants.filter(({ planted }) => !planted).length >= 5);
  assert.equal(new Set(names).size, names.length);
});

test("expected gates are gates of the product stage", () => {
  const gates = [...productGates(), ...httpProductGates(), ...libraryGates()].map(({ name }) => name);
  const expected = new Set(mutants.flatMap(({ expectedGates }) => expectedGates));
  assert.deepEqual([...expected].filter((name) => !gates.includes(name)), []);
});

test("every mutant applies to a built product", () => {
  // That it applies to the sources is a law of the repository (scripts/tidy.test.ts); here, that products
  // carry the files that it changes, as they stand in the sources.
  for (const mutant of mutants) {
    const product = join(scratch, mutant.contract ?? usual);
    const files = mutatedFiles(product, mutant);
    assert.deepEqual(files, mutatedFiles(sourceRoot, mutant));
    for (const [file, text] of files) assert.notEqual(text, readFileSync(join(product, file), "utf8"));
  }
});

test("an edit is refused that changes nothing, finds nothing, or finds too much", () => {
  const small = join(scratch, "small");
  mkdirSync(small);
  writeFileSync(join(small, "a.ts"), "one\ntwo\ntwo\n");
  const plant = (find: string, replace: string) => () => {
    const target = join(scratch, "planted");
    rmSync(target, { recursive: true, force: true });
    plantMutant(small, { name: "x", edits: [{ file: "a.ts", find, replace }] }, target);
    return readFileSync(join(target, "a.ts"), "utf8");
  };
  assert.equal(plant("one\n", "three\n")(), "three\ntwo\ntwo\n");
  assert.throws(plant("one\n", "one\n"), { code: "INVALID_ARGUMENT", message: /changes nothing/ });
  assert.throws(plant("four\n", "x"), { code: "NOT_FOUND", message: /stands 0 times/ });
  assert.throws(plant("two\n", "x"), { code: "NOT_FOUND", message: /stands 2 times/ });
});

test("a file that is no mutant is named", () => {
  const directory = join(scratch, "bad");
  mkdirSync(directory);
  const write = (text: string) => writeFileSync(join(directory, "bad.yaml"), text);
  const edits = "edits: [{ file: a, find: b, replace: c }]\n";
  const refused = { code: "INVALID_ARGUMENT", message: /mutant bad\.yaml/ };
  write(`name: bad\nplanted: true\ndescription: x\n${edits}`);
  assert.throws(() => loadMutants(directory), refused, "a fault without a gate that finds it");
  write(`name: bad\nplanted: false\ndescription: x\nexpectedGates: [load]\n${edits}`);
  assert.throws(() => loadMutants(directory), refused, "a benign variant with one");
  write("name: bad\nplanted: false\ndescription: x\nedits: []\n");
  assert.throws(() => loadMutants(directory), refused);
  write(`name: bad\nplanted: true\ndescription: x\nexpectedGates: [load]\n${edits}`);
  assert.throws(() => loadMutants(directory), refused, "a fault without a twin");
  write(`name: bad\nplanted: false\ndescription: x\n${edits}`);
  assert.equal(loadMutants(directory).length, 1);
});

test("a twin that is not there, not benign, in another file or far away is found", () => {
  const mutant = (name: string, planted: boolean, find: string, file = "a.ts"): Mutant => ({
    name, planted, description: "x", expectedGates: planted ? ["load"] : [], edits: [{ file, find, replace: "x" }],
    twin: planted ? "twin" : undefined,
  });
  const text = `one\ntwo\n${"\n".repeat(100)}far\n`;
  const problems = (...mutants: Mutant[]) => twinProblems(mutants, () => text);
  const fault = mutant("fault", true, "one\n");
  assert.deepEqual(problems(fault, mutant("twin", false, "two\n")), []);
  assert.deepEqual(problems(fault), ["fault: there is no twin twin"]);
  assert.match(problems(fault, mutant("twin", true, "two\n"))[0], /is not benign/);
  assert.match(problems(fault, mutant("twin", false, "two\n", "b.ts"))[0], /changes other files/);
  assert.match(problems(fault, mutant("twin", false, "far\n"))[0], /lies 102 lines away/);
});
