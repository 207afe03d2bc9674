/**
 * How long statements take from the executor to a sink that counts, on an engine in memory: no wire, no disk.
 *
 *   node src/parts/query_processing/execution/model/point_api/point-api.bench.ts
 *
 * Every figure is the best of five rounds, in nanoseconds per statement (or per row).
 */
import { createLruCache } from "../../../../storage/page_io/replacement/lru/lru-cache.ts";
import type { ColumnValue } from "../../../../architecture/catalog/table.ts";
import { recursiveDescentParser } from "../../../../parser/implementation/recursive_descent/recursive-descent.ts";
import type { ResultSink } from "../../../executor.ts";
import { openInMemory, run, taobenchTables } from "./in-memory-doors.fixture.ts";

class CountingSink implements ResultSink {
  moreResults = false;
  rowsSeen = 0;
  bytes = 0;
  failures = 0;
  rows(): void {}
  storedRow(key: Uint8Array, value: Uint8Array): void {
    this.rowsSeen++;
    this.bytes += key.length + value.length;
  }
  valueRow(): void {
    this.rowsSeen++;
  }
  end(): void {}
  done(): void {}
  fail(): void {
    this.failures++;
  }
}

const report = (name: string, nanoseconds: number, of: string) =>
  console.log(`${name.padEnd(58)} ${nanoseconds.toFixed(0).padStart(8)} ns per ${of.padEnd(10)} ${(1e9 / nanoseconds / 1e6).toFixed(2)} M/s`);

async function measure(name: string, count: number, of: string, work: () => unknown): Promise<void> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const start = process.hrtime.bigint();
    const waiting = work();
    if (waiting !== undefined) await waiting;
    best = Math.min(best, Number(process.hrtime.bigint() - start) / count);
  }
  report(name, best, of);
}

const objectCount = 20_000;
const keyOf = (i: number): bigint => (BigInt(i % 50) << 57n) + (BigInt(i) << 20n) + 1n;
const keys = Array.from({ length: objectCount }, (_, i) => keyOf(i));
const value = "abcdefghijklmnopqrstuvwxyz".repeat(6).slice(0, 150);

async function load(doors: ReturnType<typeof openInMemory>): Promise<void> {
  await run(doors.executor, taobenchTables);
  for (let from = 0; from < objectCount; from += 250) {
    const part = keys.slice(from, from + 250);
    await run(doors.executor, `INSERT INTO objects (id, timestamp, value) VALUES ${part.map((key) => `('${key}', 1700000000123456789, '${value}')`).join(",")}`);
    await run(doors.executor, `INSERT INTO edges VALUES ${part.map((key) => `(${key}, ${key + 1n}, 3, 1700000000123456789, '${value}')`).join(",")}`);
  }
}

const sink = new CountingSink();
const order = Array.from({ length: 100_000 }, (_, i) => (i * 7919) % objectCount);

for (const cached of [true, false]) {
  const doors = openInMemory(cached ? { cache: createLruCache({ capacityBytes: 64 << 20 }) } : {});
  await load(doors);
  const { executor } = doors;
  const where = cached ? "LRU row cache" : "Map engine";
  const read = executor.prepare("SELECT timestamp, value FROM objects WHERE id=?");
  const readEdge = executor.prepare("SELECT timestamp, value FROM edges WHERE id1=? AND id2=? AND type=?");
  const parameters: ColumnValue[] = [0n];
  const edge: ColumnValue[] = [0n, 0n, 3n];
  await measure(`prepared object read, ${where}`, order.length, "statement", () => {
    for (const i of order) {
      parameters[0] = keys[i];
      executor.execute(read, parameters, sink);
    }
  });
  await measure(`prepared edge read, ${where}`, order.length, "statement", () => {
    for (const i of order) {
      edge[0] = keys[i];
      edge[1] = keys[i] + 1n;
      executor.execute(readEdge, edge, sink);
    }
  });
  const texts = order.map((i) => `SELECT timestamp, value FROM objects WHERE id=${keys[i]}`);
  await measure(`text object read, ${where}`, texts.length, "statement", () => {
    for (const text of texts) executor.query(text, sink);
  });
  const transactions = Array.from({ length: 1000 }, (_, n) => {
    const reads = Array.from({ length: 100 }, (_, i) => {
      const key = keys[order[(n * 100 + i) % order.length]];
      return i % 6 === 0
        ? `SELECT timestamp, value FROM objects WHERE id=${key}`
        : `SELECT timestamp, value FROM edges WHERE id1=${key} AND id2=${key + 1n} AND type=3`;
    });
    return `START TRANSACTION; ${reads.join("; ")}; COMMIT`;
  });
  await measure(`read transaction of 100 statements, ${where}`, 100_000, "statement", () => {
    for (const text of transactions) executor.query(text, sink);
  });
}

{
  const doors = openInMemory();
  await run(doors.executor, taobenchTables);
  let next = 0n;
  const bulk = () => {
    const rows: string[] = [];
    for (let i = 0; i < 258; i++) rows.push(`('${++next}', 1700000000123456789, '${value}')`);
    return `INSERT INTO objects (id, timestamp, value) VALUES ${rows.join(",")}`;
  };
  const texts = Array.from({ length: 500 }, bulk);
  let at = 0;
  await measure("bulk insert of 258 rows, text to applied, Map engine", 100 * 258, "row", async () => {
    for (let i = 0; i < 100; i++) await doors.executor.query(texts[at++], sink);
  });
  const prepared = doors.executor.prepare("INSERT INTO objects (id, timestamp, value) VALUES (?, ?, ?)");
  await measure("prepared insert of an object, to applied, Map engine", 20_000, "statement", async () => {
    for (let i = 0; i < 20_000; i++) await doors.executor.execute(prepared, [++next, 1700000000123456789n, value], sink);
  });
  const update = doors.executor.prepare("UPDATE objects SET timestamp=?, value=? WHERE timestamp<? AND id=?");
  let time = 1700000000123456790n;
  await measure("prepared conditional update, to applied, Map engine", 20_000, "statement", async () => {
    for (let i = 0; i < 20_000; i++) await doors.executor.execute(update, [++time, value, time, BigInt(i + 1)], sink);
  });
  const unique =
    "INSERT INTO edges (id1,id2,type,timestamp,value) SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM edges WHERE" +
    " (id1=? AND type=0) OR (id1=? AND type=2) OR (id1=? AND id2=? AND type=1) OR (id1=? AND id2=?))";
  const edge = doors.executor.prepare(unique);
  await measure("prepared conditional insert of an edge, to applied", 2000, "statement", async () => {
    for (let i = 0; i < 2000; i++) {
      const a = ++next;
      await doors.executor.execute(edge, [a, 5n, 3n, time, value, a, a, a, 5n, 5n, a], sink);
    }
  });
  const first = "SELECT timestamp, value FROM edges WHERE id1=123456789012345678 AND id2=234567890123456789 AND type=3";
  await measure("parsing an edge read, no cache", 20_000, "statement", () => {
    for (let i = 0; i < 20_000; i++) recursiveDescentParser.parse(first, 0, "constants");
  });
  await measure("parsing a bulk insert, no cache", 100 * 258, "row", () => {
    for (let i = 0; i < 100; i++) recursiveDescentParser.parse(texts[i], 0, "constants");
  });
}
console.log(`${sink.rowsSeen} rows, ${sink.failures} failures`);
