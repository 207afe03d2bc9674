/**
 * Sources that are damaged, foreign or hostile: reading ends in bounded time and memory, with an error that names the
 * file or with what could not be read, listed. `TRACE_FUZZ_SECONDS` makes the fuzzing longer, `TRACE_LINE_MB` the line.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { inferContract } from "../contract/infer/infer-contract.ts";
import { parseContract } from "../contract/parse.ts";
import { sourceKinds } from "./observation.ts";
import { readSources } from "./read-sources.ts";

const directory = mkdtempSync(join(tmpdir(), "lathe-traces-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const golden = (name: string) => readFileSync(join(import.meta.dirname, "golden", name));

function write(name: string, content: string | Buffer): string {
  const file = join(directory, name);
  writeFileSync(file, content);
  return file;
}

const refused = (file: string, code: string, pattern: RegExp, kind?: string) =>
  assert.rejects(readSources([file], { kind }), (error: { code?: string; message: string }) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, pattern);
    return true;
  });

test("files that are no source are refused with what they look like", async () => {
  await refused(join(directory, "missing.sql"), "NOT_FOUND", /there is no file or directory .*missing\.sql/);
  await refused(write("empty.log", " \n"), "INVALID_ARGUMENT", /empty\.log is empty/);
  await refused(
    write("binary.dump", Buffer.from("PGDMP\u0001\u000e\u0000\u0004")), "INVALID_ARGUMENT", /binary.*pg_restore/
  );
  await refused(write("prose.log", "Dear all,\nplease find\n"), "INVALID_ARGUMENT", /prose\.log:1: .*Dear all/);
  await refused(write("wide.sql", Buffer.from("\ufeffCREATE TABLE", "utf16le")), "INVALID_ARGUMENT", /UTF-16.*iconv/);
  await refused(
    write("cut.sql.gz", gzipSync(golden("mariadb-dump.sql")).subarray(0, 2000)), "CORRUPTION", /cut\.sql\.gz/
  );
  await refused(
    write("a.sql", "CREATE TABLE t (id int);"), "INVALID_ARGUMENT", /did you mean mysql-dump/, "mysql-dumb"
  );
});

test("a CSV file without rows is refused with what is expected, and an empty one among others is told", async () => {
  for (const [name, content] of [["none.csv", ""], ["none.csv.gz", gzipSync("")]] as const) {
    const expected = /none\.csv(\.gz)? is empty: .*the names of the columns, then rows/;
    await refused(write(name, content), "INVALID_ARGUMENT", expected);
    await refused(join(directory, name), "INVALID_ARGUMENT", /none\.csv(\.gz)? is empty: expected are .*/, "csv");
  }
  await refused(write("head.csv", "id,name\n"), "INVALID_ARGUMENT", /head\.csv has a header and no rows: expected are/);
  mkdirSync(join(directory, "tables"));
  write("tables/a.csv", "");
  await refused(join(directory, "tables"), "INVALID_ARGUMENT", /a\.csv is empty/);
  write("tables/b.csv", "id\n1\n2\n");
  const { tables, sources } = await readSources([join(directory, "tables")]);
  assert.deepEqual([[...tables.keys()], tables.get("b")?.rows], [["b"], 2]);
  assert.deepEqual(sources[0].remarks, ["the file is empty: there is no table in it"]);
});

test("a .gz that is cut or damaged is refused with how far it goes, and read so far on demand", async () => {
  const general = golden("mariadb-general.log");
  const random = Buffer.concat(Array.from({ length: 40 }, (_, at) => Buffer.from(general.toString("latin1")
    .replaceAll("customers", `customers_${at}`), "latin1")));
  const packed = gzipSync(random);
  const cut = write("cut.log.gz", packed.subarray(0, packed.length >> 1));
  const early = /it ends early, after \d+ bytes; \d+ bytes of text could be read before that/;
  await refused(cut, "CORRUPTION", new RegExp(`cut\\.log\\.gz is no whole \\.gz: ${early.source}.*--partial`));
  const whole = await readSources([write("whole.log.gz", packed)]);
  const { workload, sources } = await readSources([cut], { partial: true });
  const share = (workload?.statements ?? 0) / (whole.workload?.statements ?? 0);
  assert.ok(share > 0.4 && share < 0.6, `${share}`);
  assert.match(sources[0].remarks[0], early);
  const damaged = Buffer.from(packed);
  damaged.fill(255, packed.length >> 1, (packed.length >> 1) + 400);
  const file = write("damaged.log.gz", damaged);
  await refused(file, "CORRUPTION", /it is damaged within the first \d+ of its \d+ bytes/);
  const { sources: some } = await readSources([file], { partial: true });
  assert.ok(some[0].statements > 1000, `${some[0].statements}`);
  await refused(write("no.log.gz", "no gzip at all"), "CORRUPTION", /no\.log\.gz is no whole \.gz: .*incorrect header/);
});

test("sources of two dialects are refused by name", async () => {
  const mysql = write("mysql.log", golden("mariadb-general.log"));
  const postgresql = write("postgresql.log", golden("postgresql.log"));
  await assert.rejects(readSources([mysql, postgresql]), /two SQL dialects: .*mysql\.log \(mysql-general-log\)/);
});

test("what ends early is read as far as it goes, and the end is told", async () => {
  const dump = golden("mariadb-dump.sql");
  const inRows = dump.indexOf("INSERT INTO `customers`") + 500;
  const { tables, sources } = await readSources([write("cut.sql", dump.subarray(0, inRows))]);
  assert.ok(tables.get("customers")!.rows > 3);
  assert.match(sources[0].unparsed.first.at(-1)?.what ?? "", /the file ends within rows/);
  const csv = await readSources(
    [write("cut.csv", golden("postgresql.csv").subarray(0, 40_150))], { kind: "postgresql-csvlog" }
  );
  assert.ok(csv.workload!.statements > 10);
});

test("a kind that is not the file's own gives an error or a list, never silence", async () => {
  for (const kind of Object.keys(sourceKinds)) {
    const file = write("general.log", golden("mariadb-general.log"));
    const { sources } = await readSources([file], { kind });
    const understood = kind === "mysql-general-log";
    assert.equal(sources.some(({ unparsed }) => unparsed.count > 0), !understood, kind);
  }
});

test("text in another encoding keeps its names and lengths in bytes", async () => {
  const latin1 = Buffer.from("CREATE TABLE `stra\xdfe` (`gr\xf6\xdfe` int, PRIMARY KEY (`gr\xf6\xdfe`));\n", "latin1");
  const utf8 = Buffer.from(
    "CREATE TABLE `straße` (`größe` varchar(9));\nINSERT INTO `straße` VALUES ('größe'),(NULL);\n"
  );
  const observation = await readSources([write("mixed.sql", Buffer.concat([latin1, utf8]))]);
  assert.equal(observation.tables.size, 2);
  assert.equal(observation.tables.get("straße")?.columns[0].sample.lengthMax, 7);
  const result = parseContract(inferContract(observation, "mixed").text, "mixed");
  assert.ok(result.ok, result.ok ? "" : JSON.stringify(result.problems));
});

test("a very long line takes bounded memory and is told of", async () => {
  const bytes = Number(process.env.TRACE_LINE_MB ?? 4) << 20;
  const head = golden("mariadb-general.log").toString("latin1").split("\n").slice(0, 5).join("\n");
  const long = `\t\t     3 Query\tINSERT INTO t VALUES ('${"x".repeat(bytes)}')`;
  const { workload } = await readSources(
    [write("long.log", `${head}\n${long}\n\t\t     3 Query\tSELECT a FROM t WHERE b = 1\n`)]
  );
  assert.equal(workload!.statements, 2);
  const dump = `CREATE TABLE t (a longtext);\nINSERT INTO t VALUES ('${"x".repeat(bytes)}'),('y');\n`;
  const { tables } = await readSources([write("long.sql", dump)]);
  assert.deepEqual([tables.get("t")!.rows, tables.get("t")!.columns[0].sample.lengthMax], [2, bytes]);
});

test("deep nesting and many statements at once end", async () => {
  const nested = `SELECT a FROM t WHERE ${"(".repeat(50_000)}a = 1${")".repeat(50_000)}`;
  const selects = `SELECT ${"(SELECT ".repeat(9000)}`;
  const list = `SELECT a FROM t WHERE a IN (${"1,".repeat(90_000)}1)`;
  const quotes = `SELECT ${"'".repeat(60_001)}`;
  const many = "SELECT a FROM t WHERE a = 1;".repeat(9000);
  const lines = [nested, selects, list, quotes, many].map((sql) => `\t\t     3 Query\t${sql}`);
  const { workload } = await readSources(
    [write("deep.log", `Time\t\t    Id Command\tArgument\n${lines.join("\n")}\n`)]
  );
  assert.ok(workload!.statements > 9000);
});

test("fuzz: damaged sources of every kind neither crash nor make a contract that does not parse", async () => {
  const seed = Number(process.env.LATHE_TEST_SEED ?? 1);
  const names = [
    "mariadb-dump.sql", "mariadb-general.log", "mariadb-slow.log", "postgresql-copy.sql", "postgresql.log",
    "postgresql.csv", "postgresql.json.log", "calls.ndjson", "tables/users.csv",
  ];
  let state = seed;
  const below = (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const seconds = Number(process.env.TRACE_FUZZ_SECONDS ?? 0);
  const deadline = performance.now() + seconds * 1000;
  let contracts = 0;
  for (let round = 0; round < 18 || performance.now() < deadline; round++) {
    const name = names[round % names.length];
    const content = Buffer.from(golden(name).subarray(0, 20_000 + below(20_000)));
    for (let damage = below(30); damage > 0; damage--) {
      const at = below(content.length);
      if (below(3) === 0) content.copyWithin(at, below(content.length), below(content.length));
      else content[at] = [0, 10, 34, 39, 40, 59, 92, 255, below(256)][below(9)];
    }
    const file = write("fuzz", content);
    try {
      const observation = await readSources([file]);
      const { text } = inferContract(observation, "fuzz");
      const result = parseContract(text, "fuzz");
      assert.ok(
        result.ok, `seed ${seed}, round ${round} (${name}): ${result.ok ? "" : JSON.stringify(result.problems)}`
      );
      contracts++;
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      assert.ok(code === "INVALID_ARGUMENT", `seed ${seed}, round ${round} (${name}): ${message}`);
    }
  }
  assert.ok(contracts > 0, `seed ${seed}`);
});
