/** Hostile rows go out and come back equal, in both formats and encodings; bad rows are named by line. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { createConnection } from "mysql2/promise";
import * as fc from "fast-check";
import { buildFromContract } from "../../src/app/build.ts";
import { LatheError } from "../../src/kit/errors.ts";
import { createSelfSignedIdentity } from "../../src/kit/self-signed-certificate.ts";
import { until } from "../../src/kit/until.fixture.ts";
import { exportTable } from "../../src/app/export.ts";
import { importTable } from "../../src/app/import.ts";
import { type BinaryEncoding, decodeJsonLine, encodeRow, type RowFormatName } from "../../src/app/row-format.ts";
import type { Cell, TableColumn } from "../../src/app/sql-table.ts";
import type { UseCaseContext } from "../../src/app/use-case.ts";
import { connectTo, password, startProduct, type StartedProduct, user } from "./product-harness.ts";

const root = join(import.meta.dirname, "..", "..");
const scratch = mkdtempSync(join(tmpdir(), "lathe-import-"));
const product = join(scratch, "product");
const context: UseCaseContext = { signal: new AbortController().signal, progress: () => undefined, status: () => undefined };
let server: StartedProduct;
let place: { url: string; product: undefined; data: undefined };

before(async () => {
  buildFromContract({ contractFile: join(root, "examples", "taobench-o", "contract.yaml"), directory: product });
  server = await startProduct(product, ["--data", join(scratch, "data")]);
  const url = `mysql://${user}:${encodeURIComponent(password)}@127.0.0.1:${server.mysqlPort}`;
  place = { url, product: undefined, data: undefined };
});
after(async () => {
  await server.end("SIGTERM");
  rmSync(scratch, { recursive: true, force: true });
});

const columnsSql = "(a BIGINT, b VARBINARY(300), t VARCHAR(300), d DOUBLE, i INT, PRIMARY KEY (b, a))";
const hostile: [string, Uint8Array, string | null, number | null, number | null][] = [
  ["9223372036854775807", new Uint8Array(0), "", 0.1, 1],
  ["-9223372036854775808", Uint8Array.of(0, 255, 10, 13, 34, 44), null, null, null],
  ["9007199254740993", Uint8Array.of(0), "null", -0, -2147483648],
  ["0", new TextEncoder().encode("\\N"), "\\N", 5e-324, 0],
  ["1", Uint8Array.of(1), 'say "x", then\r\nnew line', 1.7976931348623157e308, 7],
  ["2", Uint8Array.of(2), " padded ", -1e-7, 8],
  ["3", Uint8Array.of(3), "'; DROP TABLE src; -- \\", 3, 9],
  ["4", Uint8Array.of(4), "\u0000\ufeff😀\u2028", 123456789012345680000, 10],
  ["5", Uint8Array.of(5), "\ufeffbom", 4, 11],
  ["6", Uint8Array.from({ length: 300 }, (_, i) => i & 255), "x".repeat(300), 2 ** 53, 12],
];

test("hostile rows survive a round trip in every format and encoding, compressed too", async () => {
  const connection = await connectTo(server);
  await connection.query(`CREATE TABLE src ${columnsSql}`);
  for (const [a, b, t, d, i] of hostile) {
    const values = [a, Buffer.from(b), t, d, i] as (string | Buffer | number | null)[];
    await connection.execute("INSERT INTO src VALUES (?, ?, ?, ?, ?)", values);
  }
  for (let i = 0; i < 700; i++) {
    const values = [String(i), Buffer.from(`row ${String(i).padStart(5, "0")}`), `text ${i}`, i / 3, i];
    await connection.execute("INSERT INTO src VALUES (?, ?, ?, ?, ?)", values);
  }
  let target = 0;
  for (const format of ["csv", "ndjson"] as RowFormatName[]) {
    for (const [binary, suffix] of [["base64", ".gz"], ["hex", ""]] as [BinaryEncoding, string][]) {
      const out = join(scratch, `src-${binary}.${format}${suffix}`);
      const shape = { ...place, format, binary };
      assert.equal((await exportTable({ ...shape, table: "src", out }, context)).rows, 710);
      const name = `copy${++target}`;
      await connection.query(`CREATE TABLE ${name} ${columnsSql}`);
      const imported = await importTable({ ...shape, table: name, file: out, skipBad: 0, fromLine: 1 }, context);
      assert.deepEqual([imported.rows, imported.badRows], [710, []]);
      const again = join(scratch, `${name}.${format}${suffix}`);
      await exportTable({ ...shape, table: name, out: again }, context);
      const [one, other] = [out, again].map((path) => readFileSync(path)).map((b) => (suffix === "" ? b : gunzipSync(b)));
      assert.ok(one.equals(other), `${format} ${binary}`);
      const [[row]] = (await connection.query(`SELECT a, t, d FROM ${name} WHERE b='' AND a=9223372036854775807`)) as unknown as [
        { a: string; t: string; d: number }[],
      ];
      assert.deepEqual({ ...row }, { a: "9223372036854775807", t: "", d: 0.1 });
      assert.throws(() => exportTable({ ...shape, table: "src", out }, context), { code: "ALREADY_EXISTS" });
    }
  }
  await connection.end();
});

test("bad rows are named by line, passed over up to a number, and the import goes on from a line", async () => {
  const connection = await connectTo(server);
  await connection.query("CREATE TABLE bad (id BIGINT PRIMARY KEY, n INT NOT NULL, v VARCHAR(5))");
  const file = join(scratch, "bad.csv");
  const lines = [
    "v,id,n", "a,1,1", "b,x,1", "c,3,", "toolong,4,1", '"two\nlines",5,99999999999', "d,1,1", "e,7", "f,8,8", ",9,9", '"",10,1',
  ];
  writeFileSync(file, lines.join("\r\n"));
  const request = { ...place, table: "bad", format: "csv", binary: "base64", file, fromLine: 1 } as const;
  const { rows, badRows } = await importTable({ ...request, skipBad: 6 }, context);
  assert.equal(rows, 4);
  assert.deepEqual(badRows.map(({ line }) => line).sort((a, b) => a - b), [3, 4, 5, 6, 8, 9]);
  const [kept] = await connection.query("SELECT id, v FROM bad");
  assert.deepEqual((kept as { id: string; v: string | null }[]).map(({ id, v }) => [String(id), v]), [
    ["1", "a"], ["8", "f"], ["9", null], ["10", ""],
  ]);
  await connection.query("DELETE FROM bad WHERE id=1");
  const stopped = importTable({ ...request, skipBad: 0 }, context);
  await assert.rejects(stopped, { code: "CONSTRAINT", message: /bad\.csv, line 3: column id: "x" is no integer; 1 rows are/ });
  const json = join(scratch, "bad.ndjson");
  writeFileSync(json, '{"id":20,"n":1}\n{"id":21}\nnot json\n{"id":"9223372036854775807","n":2,"zz":1}\n[1]\n{"id":22,"n":3}\n');
  const fromJson = { ...request, file: json, format: "ndjson" } as const;
  const found = await importTable({ ...fromJson, skipBad: 4 }, context);
  assert.deepEqual([found.rows, found.badRows.map(({ line }) => line)], [2, [2, 3, 4, 5]]);
  assert.equal((await importTable({ ...fromJson, fromLine: 7, skipBad: 0 }, context)).rows, 0);
  writeFileSync(join(scratch, "cut.csv.gz"), Buffer.from("not gzip"));
  await assert.rejects(importTable({ ...request, file: join(scratch, "cut.csv.gz"), skipBad: 0 }, context), {
    code: "CORRUPTION",
  });
  await assert.rejects(importTable({ ...request, table: "nowhere", skipBad: 0 }, context), { code: "NOT_FOUND" });
  assert.throws(() => importTable({ ...request, file: "nowhere.csv", skipBad: 0 }, context), { code: "NOT_FOUND" });
  await connection.end();
});

test("a row that the server refuses is not lost behind one that cannot be read", async () => {
  const connection = await connectTo(server);
  await connection.query("CREATE TABLE mixed (id BIGINT PRIMARY KEY, v VARCHAR(5)); INSERT INTO mixed VALUES (2, 'there')");
  const file = join(scratch, "mixed.csv");
  writeFileSync(file, "id,v\n1,a\n2,b\n3,c\nx,d\n5,e\n");
  const request = { ...place, table: "mixed", format: "csv", binary: "base64", file } as const;
  await assert.rejects(importTable({ ...request, skipBad: 0, fromLine: 1 }, context), {
    code: "CONSTRAINT",
    message: /mixed\.csv, line 3: Duplicate entry.*1 rows are inserted.*--from-line 3/,
  });
  const { rows, badRows } = await importTable({ ...request, skipBad: 2, fromLine: 3 }, context);
  assert.deepEqual([rows, badRows.map(({ line }) => line)], [2, [3, 5]]);
  await connection.end();
});

test("text that is no UTF-8 is refused and not changed; byte order marks are passed over", async () => {
  const connection = await connectTo(server);
  await connection.query("CREATE TABLE coded (id BIGINT PRIMARY KEY, v VARCHAR(20))");
  const request = { ...place, table: "coded", binary: "base64", skipBad: 1, fromLine: 1 } as const;
  const mark = Buffer.of(0xef, 0xbb, 0xbf);
  const csv = join(scratch, "coded.csv");
  writeFileSync(csv, Buffer.concat([mark, Buffer.from("id,v\n1,gr\u00fcn\n2,"), Buffer.of(0xfc), Buffer.from("\n3,c\n")]));
  const fromCsv = await importTable({ ...request, file: csv, format: "csv" }, context);
  assert.deepEqual([fromCsv.rows, fromCsv.badRows.map(({ line }) => line)], [2, [3]]);
  const json = join(scratch, "coded.ndjson");
  const second = Buffer.concat([Buffer.from('{"id":5,"v":"'), Buffer.of(0xc3), Buffer.from('"}\n')]);
  writeFileSync(json, Buffer.concat([mark, Buffer.from('{"id":4,"v":"\ufeffd"}\n'), second]));
  const fromJson = await importTable({ ...request, file: json, format: "ndjson" }, context);
  assert.deepEqual([fromJson.rows, fromJson.badRows], [1, [{ line: 2, what: "it is no UTF-8" }]]);
  const [kept] = await connection.query("SELECT v FROM coded ORDER BY id");
  assert.deepEqual((kept as { v: string }[]).map(({ v }) => v), ["gr\u00fcn", "c", "\ufeffd"]);
  writeFileSync(csv, Buffer.from("\ufeffid,v\n", "utf16le"));
  await assert.rejects(importTable({ ...request, file: csv, format: "csv" }, context), { message: /is UTF-16/ });
  await connection.end();
});

test("an import that is stopped, or whose server ends, says from which line it goes on; nothing is there twice or missing", async (t) => {
  const data = join(scratch, "interrupted");
  let own = await startProduct(product, ["--data", data]);
  t.after(() => own.end("SIGKILL"));
  const url = () => `mysql://${user}:${encodeURIComponent(password)}@127.0.0.1:${own.mysqlPort}`;
  const connection = await connectTo(own);
  await connection.query("CREATE TABLE many (id BIGINT PRIMARY KEY, v VARCHAR(60))");
  await connection.end();
  const file = join(scratch, "many.csv");
  const count = 20_000;
  writeFileSync(file, `id,v\n${Array.from({ length: count }, (_, i) => `${i},"line\n${"x".repeat(40)}"\n`).join("")}`);
  const request = { product: undefined, data: undefined, table: "many", format: "csv", binary: "base64", file } as const;
  const counter = await connectTo(own);
  counter.on("error", () => undefined);
  const rowsOf = async (asked: typeof counter) => {
    const [[{ n }]] = (await asked.query("SELECT COUNT(*) AS n FROM many")) as unknown as [[{ n: string }]];
    return Number(n);
  };
  const stop = new AbortController();
  const cancelled = importTable({ ...request, url: url(), skipBad: 0, fromLine: 1 }, { ...context, signal: stop.signal });
  // What reads the file and what stops it share one thread, so that the end of the import does not come in between.
  await until("first rows", async () => (await rowsOf(counter)) > 0);
  stop.abort(new LatheError("CANCELLED", "stopped by Ctrl-C"));
  const first = await cancelled.catch((error: LatheError) => error);
  assert.ok(first instanceof LatheError && first.code === "CANCELLED", String(first));
  assert.match(first.message, /rows are inserted: go on with --from-line \d+/);
  const fromLine = Number(first.details.line);
  const killed = importTable({ ...request, url: url(), skipBad: 0, fromLine }, context);
  await until("more rows", async () => (await rowsOf(counter)) >= fromLine);
  void own.end("SIGKILL");
  const second = await killed.catch((error: LatheError) => error);
  assert.ok(second instanceof LatheError && ["CLOSED", "IO_ERROR"].includes(second.code), String(second));
  own = await startProduct(product, ["--data", data]);
  const rest = { ...request, url: url(), skipBad: 128, fromLine: Number(second.details.line ?? fromLine) };
  await importTable(rest, context);
  const again = await connectTo(own);
  assert.equal(await rowsOf(again), count);
  counter.destroy();
  await again.end();
});

test("any row survives NDJSON, whatever it holds", () => {
  const columns: TableColumn[] = [
    { name: "a", kind: "integer", nullable: true }, { name: "b", kind: "binary", nullable: true },
    { name: "t", kind: "text", nullable: true }, { name: "d", kind: "double", nullable: true },
  ];
  const row = fc.tuple(
    fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    fc.option(fc.uint8Array({ maxLength: 40 })),
    fc.option(fc.string({ unit: "binary", maxLength: 40 }).filter((text) => text.isWellFormed())),
    fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0))),
  );
  fc.assert(
    fc.property(row, fc.constantFrom<BinaryEncoding>("base64", "hex"), (cells, binary) => {
      const line = encodeRow("ndjson", columns, cells as Cell[], binary);
      const plain = (values: readonly Cell[]) => values.map((cell) => (cell instanceof Uint8Array ? [...cell] : cell));
      assert.deepEqual(plain(decodeJsonLine(columns, line.trimEnd(), binary)), plain(cells as Cell[]));
    }),
    { numRuns: 500 },
  );
});

test("who the server is, is checked under TLS, unless nobody cares", async () => {
  const data = join(scratch, "tls");
  const secured = await startProduct(product, ["--data", data, "--tls", "required"]);
  const url = `mysql://${user}:${encodeURIComponent(password)}@127.0.0.1:${secured.mysqlPort}`;
  const row = join(scratch, "row.csv");
  writeFileSync(row, "id,timestamp,value\n1,2,x\n");
  const given = { url, product: undefined, data: undefined, table: "objects", format: "csv", binary: "base64" } as const;
  const take = (trust: { ca?: string; insecure?: boolean }) =>
    importTable({ ...given, ...trust, file: row, skipBad: 0, fromLine: 1 }, context);
  const own = join(data, "tls-certificate.pem");
  try {
    await take({ insecure: true }).catch((error: LatheError) => assert.equal(error.code, "NOT_FOUND"));
    const setup = await connectOver(own, secured.mysqlPort);
    await setup.query("CREATE TABLE objects (id BIGINT PRIMARY KEY, timestamp BIGINT, value VARCHAR(150))");
    await setup.end();
    const stranger = join(scratch, "stranger.pem");
    const names = { commonName: "x", dnsNames: ["localhost"], addresses: ["127.0.0.1"] };
    const identity = createSelfSignedIdentity({ ...names, nowMs: Date.now(), serial: randomBytes(16) });
    writeFileSync(stranger, identity.certificatePem);
    await assert.rejects(take({}), { code: "PERMISSION", message: /cannot be trusted .*--ca FILE/ });
    await assert.rejects(take({ ca: stranger }), { code: "PERMISSION", message: /cannot be trusted/ });
    await assert.rejects(take({ ca: row }), { code: "INVALID_ARGUMENT", message: /no certificate in PEM/ });
    await assert.rejects(take({ ca: join(scratch, "none") }), { code: "NOT_FOUND" });
    await assert.rejects(take({ ca: own, insecure: true }), { code: "INVALID_ARGUMENT", message: /one of them/ });
    assert.equal((await take({ ca: own })).rows, 1);
    const out = join(scratch, "tls.csv");
    assert.equal((await exportTable({ ...given, insecure: true, out }, context)).rows, 1);
    // Whoever named an authority does not go on with a server that offers no TLS at all.
    await assert.rejects(exportTable({ ...given, ...place, ca: own, out: `${out}.2` }, context), {
      code: "PERMISSION", message: /offers no TLS/,
    });
  } finally {
    await secured.end("SIGTERM");
  }
});

function connectOver(ca: string, port: number) {
  return createConnection({ host: "127.0.0.1", port, user, password, ssl: { ca: readFileSync(ca, "utf8") } });
}
