/** What a contract is refused for: by build what no part serves, by run, bench and evolve what no driver drives. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { libraryMembers } from "../contract/serve-check.ts";
import { EmbeddedStore } from "../parts/architecture/model/embedded_library/embedded-library.ts";
import { checkContract, loadDrivenContract, loadServedContract } from "./contract.ts";
import { buildFromContract } from "./build.ts";
import { infer } from "./infer.ts";

const directory = mkdtempSync(join(tmpdir(), "lathe-contract-"));
after(() => rmSync(directory, { recursive: true, force: true }));

function contractFile(name: string, text: string): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

const golden = (name: string) => join(import.meta.dirname, "..", "traces", "golden", name);

test("what a dump and a log need and no part serves is refused, each leaf of it; the rest is built", async () => {
  const { text } = await infer({ sources: ["mariadb-dump.sql", "mariadb-general.log"].map(golden) });
  const whole = contractFile("whole.yaml", text);
  const checked = checkContract(whole);
  assert.equal(checked.verdict, "unserved");
  assert.ok(checked.missingLeaves.includes("query_processing/joins/nested_loop"));
  assert.ok(checked.problems.some(({ path, message }) => /^needs\[\d+\]$/.test(path) && /storage\/ttl/.test(message)));
  assert.throws(() => buildFromContract({ contractFile: whole, directory: join(directory, "whole") }), (error: {
    code?: string;
    details?: { missing?: readonly { path: string }[] };
  }) => {
    assert.equal(error.code, "NOT_SELECTED");
    assert.deepEqual(error.details?.missing?.map(({ path }) => path).sort(), checked.missingLeaves.toSorted());
    return true;
  });
  const plain = contractFile("plain.yaml", text.slice(0, text.indexOf("# What the workload needs beyond")));
  assert.equal(checkContract(plain).verdict, "valid");
  assert.ok(buildFromContract({ contractFile: plain, directory: join(directory, "plain") }).files > 0);
});

test("what no driver drives is refused by name where something is measured, not where it is built", () => {
  const operations = "[{ name: READ, weight: 7 }, { name: COUNT, weight: 3 }]";
  const text = `version: 1\nname: mine\nworkload: { benchmark: ycsb, profile: b, operations: ${operations} }\n`;
  const file = contractFile("mine.yaml", text);
  const { verdict, missingLeaves, undriven } = checkContract(file);
  assert.deepEqual([verdict, missingLeaves], ["valid", []]);
  assert.match(undriven[0].message, /COUNT/);
  assert.equal(loadServedContract(file).contract.name, "mine");
  assert.throws(() => loadDrivenContract(file), { code: "INVALID_ARGUMENT", message: /workload\.operations: .*COUNT/ });
});

test("a library's table cannot have the name of a method of its store, each of which is known", () => {
  assert.deepEqual(libraryMembers, Object.getOwnPropertyNames(EmbeddedStore.prototype));
  const columns = "columns: [{ name: id, type: bigint }], primary_key: [id], rows: 10";
  const table = (name: string) => `{ name: ${name}, ${columns} }`;
  const textOf = (names: readonly string[]) => "version: 1\nname: mine\nworkload: { benchmark: ycsb, profile: a }\n" +
    "surface: { protocols: [embedded], transactions: none }\nstorage: { durability: every_commit }\n" +
    `data: { tables: [${names.map(table).join(", ")}] }\n`;
  assert.equal(checkContract(contractFile("library.yaml", textOf(["notes", "scan"]))).verdict, "valid");
  const { verdict, problems } = checkContract(contractFile("taken.yaml", textOf(["notes", ...libraryMembers])));
  assert.equal(verdict, "unserved");
  assert.deepEqual(problems.map(({ path }) => path), libraryMembers.map((_, at) => `data.tables[${at + 1}].name`));
  assert.match(problems.at(-1)?.message ?? "", /a table close of a library, whose store has a method of that name/);
});
