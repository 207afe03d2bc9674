/**
 * Bounds gate: memory and disk stay within bounds while the work goes on, as seen from outside.
 *
 * Two ways to look fast in a short measurement are to keep everything in memory and to put compaction off until nobody
 * measures. Both show here, under caches and memtables of a few MiB:
 *   1. Memory: write and read far more bytes than the memory knobs allow; the kernel's resident set may grow by the knobs
 *      plus a stated overhead, not with the data.
 *   2. Disk: overwrite few rows many times without a pause; once the store has reached its steady state, its directory may
 *      not go on growing with what is written.
 * Source: RocksDB's space-amplification and stall tests; the kernel's figures, not the product's own.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { seededNumbers } from "../simulation/simulated-env.ts";
import type { Gate, GateSubject, GateVerdict } from "./gate.ts";
import { connectGate, startSubject, type GateConnection } from "./gate-connection.ts";
import { verdictOf } from "./run-gates.ts";
import { shrunkKnobs } from "./shrunk-knobs.ts";

const name = "bounds";
const mebibyte = 1 << 20;
/** What the process may take beside its knobs: garbage not yet collected, buffers in flight, code. */
const memoryOverheadMiB = 110;

export function boundsGate(options: { dataMiB: number; overwriteMiB: number }): Gate {
  return {
    name,
    description: `memory bounded over ${options.dataMiB} MiB of data, disk over ${options.overwriteMiB} MiB of overwrites`,
    stage: "product",
    timeoutMs: 90_000,
    run: (subject) => runBounds(options, subject),
  };
}

async function runBounds(options: { dataMiB: number; overwriteMiB: number }, subject: GateSubject): Promise<GateVerdict> {
  const verdict = verdictOf(name, performance.now());
  const knobs = { ...shrunkKnobs(subject) };
  const server = await startSubject({ ...subject, knobs });
  const dataDirectory = join(subject.workDirectory, "data");
  try {
    const connection = await connectGate(server.endpoint);
    const next = seededNumbers(subject.seed);
    const table = `b${Math.floor(next() * 2 ** 32).toString(36)}`;
    await connection.query(
      `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, timestamp BIGINT, value VARCHAR(4000))`,
    );
    const disk = await overwrite(connection, { table, dataDirectory, bytes: options.overwriteMiB * mebibyte, next });
    const baseMiB = server.memory().residentBytes / mebibyte;
    const peakMiB = await fillAndRead(connection, server.memory.bind(server), {
      table,
      bytes: options.dataMiB * mebibyte,
      next,
      signal: subject.signal,
    });
    const evidence = { ...disk, baseMiB: round(baseMiB), peakMiB: round(peakMiB), dataMiB: options.dataMiB };
    if (disk.grownMiB > disk.writtenMiB * 0.4) {
      return verdict.reject(
        `the directory grew by ${disk.grownMiB} MiB while ${disk.writtenMiB} MiB of the same few rows were overwritten`,
        evidence,
      );
    }
    if (peakMiB - baseMiB > memoryOverheadMiB) {
      return verdict.reject(
        `resident memory grew by ${round(peakMiB - baseMiB)} MiB over ${options.dataMiB} MiB of data with caches of a few MiB`,
        evidence,
      );
    }
    return verdict.admit(
      `memory grew by ${round(peakMiB - baseMiB)} MiB over ${options.dataMiB} MiB of data; the directory by ` +
        `${disk.grownMiB} MiB over ${disk.writtenMiB} MiB of overwrites`,
      evidence,
    );
  } finally {
    await server.kill();
  }
}

/** Overwrites about 1 MiB of rows; growth of the directory is taken over the second half. */
async function overwrite(
  connection: GateConnection,
  options: { table: string; dataDirectory: string; bytes: number; next: () => number },
): Promise<{ grownMiB: number; writtenMiB: number; directoryMiB: number }> {
  const rows = 300;
  const rowBytes = 3500;
  const inserts = Array.from({ length: rows }, (_, id) => `(${id}, 0, '${letters(rowBytes, options.next)}')`);
  for (let at = 0; at < rows; at += 100) {
    await expectOk(connection, `INSERT INTO ${options.table} VALUES ${inserts.slice(at, at + 100).join(",")}`);
  }
  const statements = Math.ceil(options.bytes / rowBytes / 50);
  let halfBytes = 0;
  for (let statement = 0; statement < statements; statement++) {
    if (statement === statements >> 1) halfBytes = directoryBytes(options.dataDirectory);
    const updates = Array.from({ length: 50 }, (_, index) => {
      const id = Math.floor(options.next() * rows);
      const version = statement * 50 + index + 1;
      return (
        `UPDATE ${options.table} SET timestamp=${version}, value='${letters(rowBytes, options.next)}' ` +
        `WHERE timestamp<${version} AND id=${id}`
      );
    });
    await expectOk(connection, `START TRANSACTION; ${updates.join("; ")}; COMMIT`);
  }
  const endBytes = directoryBytes(options.dataDirectory);
  return {
    grownMiB: round((endBytes - halfBytes) / mebibyte),
    writtenMiB: round((statements - (statements >> 1)) * 50 * (rowBytes / mebibyte)),
    directoryMiB: round(endBytes / mebibyte),
  };
}

async function fillAndRead(
  connection: GateConnection,
  memory: () => { residentBytes: number },
  options: { table: string; bytes: number; next: () => number; signal: AbortSignal | undefined },
): Promise<number> {
  const rowBytes = 3500;
  const rows = Math.ceil(options.bytes / rowBytes);
  let peakBytes = 0;
  const sample = () => (peakBytes = Math.max(peakBytes, memory().residentBytes));
  for (let at = 0; at < rows && options.signal?.aborted !== true; at += 100) {
    const values = Array.from(
      { length: 100 },
      (_, index) => `(${1_000_000 + at + index}, 0, '${letters(rowBytes, options.next)}')`,
    );
    await expectOk(connection, `INSERT INTO ${options.table} VALUES ${values.join(",")}`);
    if (at % 1000 === 0) sample();
  }
  for (let read = 0; read < rows && options.signal?.aborted !== true; read += 50) {
    const reads = Array.from(
      { length: 50 },
      () => `SELECT value FROM ${options.table} WHERE id=${1_000_000 + Math.floor(options.next() * rows)}`,
    );
    await expectOk(connection, reads.join("; "));
    if (read % 1000 === 0) sample();
  }
  sample();
  return peakBytes / mebibyte;
}

async function expectOk(connection: GateConnection, sql: string): Promise<void> {
  const results = await connection.query(sql);
  const failed = results.find((result) => result.error !== undefined);
  if (failed?.error !== undefined) throw new Error(`${failed.error.message} (${sql.slice(0, 60)}…)`);
}

/** Letters that differ from call to call, cut from one long random text so that making them costs nothing. */
function letters(length: number, next: () => number): string {
  if (pool.length === 0) while (pool.length < 1 << 20) pool += Math.floor(next() * 2 ** 52).toString(36);
  const start = Math.floor(next() * (pool.length - length));
  return pool.slice(start, start + length);
}

let pool = "";

function directoryBytes(directory: string): number {
  return readdirSync(directory, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return sum + directoryBytes(path);
    return sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  }, 0);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
