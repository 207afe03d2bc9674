import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { contractJsonSchema, contractSchemaFile } from "../../scripts/generate-contract-schema.ts";
import { formatProblem } from "../knobs/yaml-document.ts";
import { canonicalHash } from "./canonical-json.ts";
import { explainContract } from "./explain.ts";
import { loadContract, parseContract } from "./parse.ts";
import { undrivenProblems, unservedProblems } from "./serve-check.ts";

const examples = join(import.meta.dirname, "..", "..", "examples");
const contractFiles = readdirSync(examples)
  .map((name) => join(examples, name, "contract.yaml"))
  .filter((file) => existsSync(file));

/** All messages for a text, as a terminal shows them; those of the serve check where the schema has none. */
function messages(text: string): string[] {
  const result = parseContract(text, "contract.yaml");
  if (!result.ok) return result.problems.map(formatProblem);
  const { contract, placeOf } = result;
  return [unservedProblems, undrivenProblems].flatMap((find) => find(contract, "contract.yaml", placeOf))
    .map(formatProblem);
}

const minimal = "version: 1\nname: store\nworkload: { benchmark: taobench, profile: o }\n";

test("every example is valid, served, and explained in every topic", () => {
  assert.ok(contractFiles.length >= 3);
  for (const file of contractFiles) {
    assert.deepEqual(messages(readFileSync(file, "utf8")), [], file);
    for (const topic of explainContract(loadContract(file))) assert.ok(topic.promises.length > 0, topic.title);
  }
});

test("what is left out is filled in from the benchmark", () => {
  const result = parseContract(minimal, "contract.yaml");
  assert.ok(result.ok);
  const { contract } = result;
  assert.deepEqual(
    contract.data.tables.map(({ name, rows }) => [name, rows]),
    [["objects", 1_000_000], ["edges", 500_000]],
  );
  assert.equal(contract.workload.scale, 500_000);
  assert.equal(contract.workload.operations?.length, 4);
  assert.equal(contract.targets.memoryMiBMax, 256);
  assert.equal(contract.storage.durability, "every_commit");
  // A file that spells out what is the default means the same.
  const written = parseContract(
    `${minimal}data: { key_encoding: order_preserving }\ncaching: { row_cache: lru }\n`,
    "x",
  );
  assert.ok(written.ok);
  assert.equal(canonicalHash(written.contract), canonicalHash(contract));
});

test("golden: everything wrong at once, each with its place, what was expected, and a suggestion", () => {
  const text = `version: 3
name: Tao Bench
data:
  tables:
    - name: objects
      columns:
        - { name: id, type: bigint, value_min: 99999999999999999999 }
        - { name: value, type: vachar, length_max: 150 }
      primry_key: [id]
      rows: 9007199254740993
    - name: edges
      columns:
        - { name: id1, type: bigint, nullable: true }
        - { name: txt, type: varchar }
      primary_key: [id1, id22]
      rows: 5
replication: { nodes: 2 }
storage: { durability: every_comit }
surfce: {}
caching: lru
workload:
  benchmark: taobench
  profile: x
  clients: 0
  loop: open
  operations:
    - { name: READ, weight: -1 }
    - { name: WRITE, weight: 0 }
targets: { memory_mib_max: 12 }
`;
  assert.deepEqual(messages(text), [
    "contract.yaml:1:10: version: expected 1 or 2, found 3",
    'contract.yaml:2:7: name: expected a name: small letters, digits and -, at most 63, found "Tao Bench"',
    "contract.yaml:5:7: data.tables[0].primary_key: missing; expected a list",
    "contract.yaml:7:48: data.tables[0].columns[0].value_min: expected a whole number from -9223372036854775808 to " +
      "9223372036854775807, found 99999999999999999999",
    "contract.yaml:8:32: data.tables[0].columns[1].type: expected bigint, int, double, varchar or varbinary, " +
      'found "vachar"; did you mean varchar?',
    "contract.yaml:9:7: data.tables[0].primry_key: unknown key; did you mean primary_key?",
    "contract.yaml:10:13: data.tables[0].rows: expected a whole number of at most 9007199254740991, found 9007199254740993",
    "contract.yaml:14:11: data.tables[1].columns[1].length_max: txt is varchar: say its longest value with length_max",
    "contract.yaml:15:21: data.tables[1].primary_key[0]: id1 is nullable; a primary key cannot hold NULL",
    "contract.yaml:15:26: data.tables[1].primary_key[1]: id22 is not a column of edges; columns are id1, txt",
    "contract.yaml:17:23: replication.nodes: 2 nodes without consensus cannot agree; set consensus to raft, or nodes to 1",
    "contract.yaml:18:24: storage.durability: expected every_commit, interval or none, found \"every_comit\"; " +
      "did you mean every_commit?",
    "contract.yaml:19:1: surfce: unknown key; did you mean surface?",
    'contract.yaml:20:10: caching: expected a mapping, found "lru"',
    'contract.yaml:23:12: workload.profile: expected a or o of taobench, found "x"',
    "contract.yaml:24:12: workload.clients: expected at least 1, found 0",
    "contract.yaml:25:9: workload.loop: an open loop needs operations_per_second: at which rate do operations arrive?",
    "contract.yaml:27:29: workload.operations[0].weight: expected at least 0, found -1",
    "contract.yaml:29:28: targets.memory_mib_max: 12 MiB cannot be kept: a process with empty caches takes about 56; " +
      "grant at least 64",
  ]);
});

test("golden: impossible mixes", () => {
  const cases: readonly (readonly [string, string[]])[] = [
    ["workload: { benchmark: taobench, profile: o, operations: [{ name: READ, weight: 0 }] }",
      ["contract.yaml:3:58: workload.operations: all weights are 0: nothing would be run"]],
    ["workload: { benchmark: taobench, profile: o, loop: closed, operations_per_second: 5 }",
      ["contract.yaml:3:83: workload.operations_per_second: a closed loop has no rate of its own; remove it, or set loop to open"]],
    ["workload: { benchmark: ycsb, profile: c }\nfailure: { tolerates: [node_loss] }",
      ["contract.yaml:4:24: failure.tolerates[0]: node_loss needs at least 3 nodes, and replication.nodes is 1"]],
    ["workload: { benchmark: ycsb, profile: c }\nstorage: { durability: none }",
      ["contract.yaml:1:1: failure.tolerates[1]: power_loss contradicts storage.durability none; drop one of them"]],
    ["workload: { benchmark: taobench, profile: a }\nconsistency: { transactions: none }\nsurface: { transactions: none }",
      ["contract.yaml:4:30: consistency.transactions: TAOBench Workload A runs transactions of several statements; set it to one_shot"]],
    ["workload: { benchmark: ycsb, profile: c }\nconsistency: { transactions: single_statement }",
      ["contract.yaml:1:1: surface.transactions: contradicts consistency.transactions single_statement; set it to none, or that to one_shot"]],
    ["workload: { benchmark: ycsb, profile: c }\nstorage: { loss_window_ms: 5 }",
      ["contract.yaml:4:28: storage.loss_window_ms: durability every_commit has no loss window; remove it, or set durability to interval"]],
    ["workload: { benchmark: ycsb, profile: c }\ntargets: { memory_mib_max: 268435456 }",
      ["contract.yaml:4:28: targets.memory_mib_max: 268435456 MiB is more than any machine has; the unit is MiB, not bytes"]],
    ["workload: { benchmark: ycsb, profile: c, operations: [{ name: READ, weight: 1, distribution: zipfian }] }",
      ["contract.yaml:3:94: workload.operations[0].distribution: zipfian needs skew, for example 0.99"]],
  ];
  for (const [rest, expected] of cases) assert.deepEqual(messages(`version: 1\nname: store\n${rest}\n`), expected);
});

test("an HTTP surface serves one key-value table, and no benchmark of SQL", () => {
  const http = "surface: { protocols: [http], transactions: none }\nconsistency: { transactions: single_statement }\n";
  const text = (rest: string) => messages(`version: 1\nname: store\n${http}${rest}`);
  assert.deepEqual(text("workload: { benchmark: key_value, profile: sndv }\n"), []);
  assert.match(
    text("workload: { benchmark: ycsb, profile: c }\n")[0],
    /^contract.yaml:3:24: surface.protocols\[0\]: http serves one table, and it must be a key-value table: columns/,
  );
  const sql = "version: 1\nname: store\nworkload: { benchmark: key_value, profile: sndv }\n";
  assert.match(messages(sql)[0], /workload.benchmark: no driver drives key_value over mysql yet/);
  const table = (valueBytes: number) => `data:
  tables:
    - name: kv
      columns:
        - { name: k, type: varbinary, length_max: 64 }
        - { name: v, type: varbinary, length_max: ${valueBytes} }
        - { name: version, type: bigint }
        - { name: expires_ms, type: bigint, nullable: true }
      primary_key: [k]
      rows: 10
workload: { benchmark: key_value, profile: sndv }
`;
  assert.deepEqual(text(table(1_048_576)), []);
  const both = "version: 1\nname: store\nsurface: { protocols: [http, mysql] }\n";
  assert.match(messages(both + table(1_048_576))[0], /columns\[1\].length_max: v: a varbinary that SQL reads has at most/);
  assert.deepEqual(messages(both + table(65_535)), []);
});

test("golden: what no part serves names the missing leaf, all at once", () => {
  const text = `version: 1
name: store
sharding: { shards: 4, locality: by_key_prefix }
replication: { nodes: 3, consensus: raft }
consistency: { transactions: interactive }
storage: { durability: none }
failure: { tolerates: [process_crash] }
surface: { protocols: [mysql, postgresql, embedded], transactions: none }
workload: { benchmark: ycsb, profile: c, operations: [{ name: READ, weight: 1 }, { name: COUNT, weight: 1 }] }
`;
  const leaves: (readonly [path: string, leaf?: string])[] = [
    ["sharding.shards", "replication/sharding/range"],
    ["replication.nodes", "replication/consensus/raft_group"],
    ["storage.durability", "recovery/strategy/volatile"],
    ["surface.protocols[1]", "architecture/networking/wire_protocols/pg_fe_be"],
    ["surface.protocols[2]"],
    ["workload.operations"],
  ];
  const found = messages(text);
  assert.equal(found.length, leaves.length, found.join("\n"));
  for (const [at, [path, leaf]] of leaves.entries()) {
    const missing = leaf === undefined ? "" : `: the leaf ${leaf} is missing`;
    const refused = path === "workload.operations" ? "no driver drives" : "no part serves";
    assert.match(found[at], new RegExp(`: ${path.replace(/[[\]]/g, "\\$&")}: ${refused} .* yet${missing}; `));
  }
});

test("broken YAML, alias bombs and huge files are problems, not crashes", () => {
  assert.match(messages("version: 1\n  name: [")[0], /^contract.yaml:1:10: not valid YAML: /);
  assert.match(
    messages("version: 1\nversion: 1\n")[0],
    /^contract.yaml:2:1: \w+ stands twice in one mapping/,
  );
  const bomb = ["a: &a [x,x,x,x,x,x,x,x,x]", ..."bcdefgh".split("").map((name, at) =>
    `${name}: &${name} [${`*${"abcdefg"[at]},`.repeat(9)}]`)].join("\n");
  assert.match(messages(bomb)[0], /not valid YAML: Excessive alias count/);
  assert.match(messages(" ".repeat(2 << 20))[0], /expected at most 1048576 characters/);
  assert.deepEqual(messages("").slice(0, 1), ["contract.yaml:1:1: expected a mapping, found nothing"]);
});

test("64-bit integers stay exact", () => {
  fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
    const column = `{ name: id, type: bigint, value_min: ${value}, value_max: 9223372036854775807 }`;
    const text = `${minimal}data: { tables: [{ name: t, columns: [${column}], primary_key: [id], rows: 1 }] }\n`;
    const result = parseContract(text, "contract.yaml");
    assert.ok(result.ok);
    assert.equal(result.contract.data.tables[0].columns[0].valueMin, value);
    assert.equal(result.contract.data.tables[0].columns[0].valueMax, 2n ** 63n - 1n);
  }));
});

test("no mutation of a good file makes the parser throw, and every problem has a place in the file", () => {
  const good = readFileSync(contractFiles[0], "utf8");
  const lines = good.split("\n").length;
  fc.assert(
    fc.property(fc.nat(good.length), fc.nat(12), fc.string({ maxLength: 6 }), (at, length, insert) => {
      const text = good.slice(0, at) + insert + good.slice(at + length);
      const result = parseContract(text, "contract.yaml");
      if (result.ok) return;
      assert.ok(result.problems.length > 0);
      for (const { line, column } of result.problems) assert.ok(line >= 1 && line <= lines + 6 && column >= 1);
    }),
    { numRuns: 60 },
  );
});

test("the JSON Schema for editors is fresh, and the examples point to it", () => {
  assert.equal(
    readFileSync(contractSchemaFile, "utf8"),
    contractJsonSchema(),
    "run scripts/generate-contract-schema.ts",
  );
  for (const file of contractFiles) {
    assert.ok(
      readFileSync(file, "utf8").startsWith("# yaml-language-server: $schema=../../catalog/contract.schema.json\n"),
    );
  }
});

test("what an operation touches is of version 2, is there, and suits what it does", () => {
  const table = "{ name: t, columns: [{ name: id, type: int }, { name: a, type: int }], primary_key: [id], rows: 9 }";
  const told = (version: number, operation: string) => messages(
    `version: ${version}\nname: store\ndata: { tables: [${table}] }\n` +
      `workload: { benchmark: ycsb, profile: a, operations: [{ weight: 1, ${operation} }] }\n`,
  ).map((line) => line.replace(/^[^ ]+ /, ""));
  const place = "workload.operations[0]";
  assert.deepEqual(told(2, "name: READ, table: t"), []);
  assert.deepEqual(told(1, "name: READ"), []);
  assert.deepEqual(told(1, "name: READ, table: t"),
    [`${place}.table: what an operation touches is of version 2; write version: 2`]);
  assert.deepEqual(told(2, "name: READ, table: tt"),
    [`${place}.table: tt is not a table of the contract; did you mean t?`]);
  assert.match(told(2, "name: SCAN, table: t, key: [b]")[0], /key\[0\]: b is not a column of t/);
  assert.match(told(2, "name: UPDATE, table: t, key: [a]")[0], /UPDATE touches rows by their primary key; remove key/);
  assert.match(told(2, "name: READ, rows: 2")[0], /only SCAN and INSERT say how many/);
  assert.match(told(2, "name: READ, steps: [{ operation: READ }]")[0], /READ is one statement/);
  assert.match(told(2, "name: READTRANSACTION, steps: [{ operation: UPDATE }]")[0], /a READTRANSACTION only reads/);
  assert.match(told(2, "name: READ, table: t, key: [a]")[0], /no driver drives READ of t by a, which no key or index/);
});

test("what steps share is of an earlier step, by columns that are there", () => {
  const told = (second: string, first = "operation: READ, table: t") => messages(`version: 2
name: store
data: { tables: [${["t", "u"].map((name) => `{ name: ${name}, columns: [{ name: id, type: bigint }, ` +
    "{ name: note, type: varchar, length_max: 20 }], primary_key: [id], rows: 5 }").join(", ")}] }
workload: { benchmark: ycsb, profile: a, operations: [{ name: WRITETRANSACTION, weight: 1, steps: [{ ${first} }, { ${second} }] }] }
`);
  const update = "operation: UPDATE, table: t, shares: ";
  assert.deepEqual(told(`${update}[{ column: id, step: 1 }]`), []);
  assert.deepEqual(told("operation: INSERT, table: u, times: 3, shares: [{ column: note, step: 2 }]"), []);
  const wrong: readonly (readonly [string, RegExp])[] = [
    [`${update}[{ column: id, step: 3 }]`, /shares\[0\].step: step 3 does not come before step 2; name one of 1 to 1/],
    [`${update}[{ column: id, step: 2 }]`, /a step of one statement cannot be shared with itself/],
    [`${update}[{ column: idd, step: 1, of: id }]`, /shares\[0\].column: idd is not a column of t; did you mean id/],
    [`${update}[{ column: id, step: 1, of: nte }]`, /shares\[0\].of: nte is not a column of t; did you mean note/],
    [`${update}[{ column: id, step: 1, of: note }]`, /READ of t finds rows by id, not by note/],
    [`${update}[{ column: id, step: 1 }, { column: id, step: 1 }]`, /shares\[1\]: id is named already/],
    [`${update}[{ column: id, step: 1 }], skew: 0.5`, /which rows these are follows from shares; remove skew/],
    ["operation: UPDATE, shares: [{ column: id, step: 1 }]", /say with table whose columns these are/],
  ];
  for (const [step, message] of wrong) assert.match(told(step)[0], message);
  assert.match(told(`${update}[{ column: id, step: 1 }]`, "operation: READ")[0], /step 1 names no table/);
  const early = told("operation: READ, table: t", `${update}[{ column: id, step: 1 }]`);
  assert.match(early[0], /a step of one statement/);
  const undriven = told("operation: INSERT, table: u, shares: [{ column: id, step: 1 }]");
  assert.match(undriven[0], /no driver drives step 2 \(INSERT u\), whose id is the id of step 1, where nothing else in the key/);
});
