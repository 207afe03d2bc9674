/**
 * Bounds gate: memory and disk stay within bounds while the work goes on, as seen from outside.
 *
 * Two ways to look fast in a short measurement are to keep everything in memory and to put compaction off until nobody
 * measures. Both show here, under caches and memtables of a few MiB:
 *   1. Disk: overwrite few rows many times without a pause; from the second quarter of the writes to the last, the
 *      directory may not grow with what is written.
 *   2. Memory: write far more bytes than the memory knobs allow and read each of them; between the first eighth of the
 *      rows and the last, the resident set may not grow with the data.
 * Both are noisy. Garbage not yet collected, buffers in flight and pages that the allocator keeps raise memory by tens
 * of MiB for a while; files that wait for a compaction, and its outputs beside its inputs, raise the disk, the more the
 * busier the machine. What is really kept is never given back, so the lowest of the samples of a stretch is judged, and
 * growth from a stretch in which code, pools and caches are warm already.
 * Source: RocksDB's space-amplification and stall tests; the kernel's figures, not the product's own.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { RunningServer } from "../fleet/server.ts";
import { seededNumbers } from "../simulation/simulated-env.ts";
import type { Gate, GateSubject, GateVerdict } from "./gate.ts";
import { connectGate, startSubject, type GateConnection } from "./gate-connection.ts";
import { RandomLetters } from "./random-letters.ts";
import { isInMemory } from "./product-engine.ts";
import { verdictOf } from "./run-gates.ts";
import { shrunkKnobs } from "./shrunk-knobs.ts";
import { tableNames } from "./table-names.ts";

const name = "bounds";
const mebibyte = 1 << 20;
const rowBytes = 3500;
/** Share of the data by which memory may grow, and of the overwrites by which the directory may. */
const memoryShareMax = 0.6;
const diskShareMax = 0.3;
/** The same of memory, where all data are there by contract: rows, indexes, and what is between two uses. */
const heldShareMax = 1.6;

export interface Amounts {
  readonly dataMiB: number;
  readonly overwriteMiB: number;
}

export function boundsGate(options: Amounts): Gate {
  const { dataMiB, overwriteMiB } = options;
  return {
    name,
    description: `memory bounded over ${dataMiB} MiB of data, disk over ${overwriteMiB} MiB of overwrites`,
    stage: "product",
    timeoutMs: 300_000,
    run: (subject) => runBounds(options, subject),
  };
}

async function runBounds(options: Amounts, subject: GateSubject): Promise<GateVerdict> {
  const server = await startSubject({ ...subject, knobs: shrunkKnobs(subject) });
  try {
    const connection = await connectGate(server.endpoint);
    const [table, overwritten] = tableNames(seededNumbers(subject.seed));
    for (const created of [table, overwritten]) {
      await expectOk(
        connection,
        `CREATE TABLE ${created} (id BIGINT PRIMARY KEY, timestamp BIGINT, value VARCHAR(4000))`,
      );
    }
    return await judgeBounds(name, options, subject, server, sqlRows(connection, table, overwritten));
  } finally {
    await server.kill();
  }
}

/** The rows of a store that its bounds are judged by, over whatever protocol. */
export interface BoundedRows {
  /** Writes rows that may be there already, all of them or none; versions rise from call to call. */
  overwrite(rows: readonly { readonly id: number; readonly value: string }[], firstVersion: number): Promise<void>;
  insert(rows: readonly { readonly id: number; readonly value: string }[]): Promise<void>;
  read(ids: readonly number[]): Promise<void>;
}

function sqlRows(connection: GateConnection, table: string, overwritten: string): BoundedRows {
  return {
    async overwrite(rows, firstVersion) {
      if (firstVersion === 0) {
        const inserts = rows.map(({ id, value }) => `(${id}, 0, '${value}')`);
        return expectOk(connection, `INSERT INTO ${overwritten} VALUES ${inserts.join(",")}`);
      }
      const updates = rows.map(({ id, value }, at) => {
        const version = firstVersion + at;
        const set = `SET timestamp=${version}, value='${value}'`;
        return `UPDATE ${overwritten} ${set} WHERE timestamp<${version} AND id=${id}`;
      });
      return expectOk(connection, `START TRANSACTION; ${updates.join("; ")}; COMMIT`);
    },
    insert(rows) {
      const values = rows.map(({ id, value }) => `(${id}, 0, '${value}')`);
      return expectOk(connection, `INSERT INTO ${table} VALUES ${values.join(",")}`);
    },
    read: (ids) => expectOk(connection, ids.map((id) => `SELECT value FROM ${table} WHERE id=${id}`).join("; ")),
  };
}

/** Judges a running product. Errors: those of its rows. */
export async function judgeBounds(
  gateName: string,
  options: Amounts,
  subject: GateSubject,
  server: RunningServer,
  rows: BoundedRows,
): Promise<GateVerdict> {
  const verdict = verdictOf(gateName, performance.now());
  const dataDirectory = join(subject.workDirectory, "data");
  const next = seededNumbers(subject.seed);
  const letters = new RandomLetters(next);
  const disk = await overwrite(rows, { dataDirectory, bytes: options.overwriteMiB * mebibyte, next, letters });
  if (disk.grownMiB > disk.writtenMiB * diskShareMax) {
    return verdict.reject(
      `the directory grew by ${disk.grownMiB} MiB while ${disk.writtenMiB} MiB of the same few rows were overwritten`,
      disk,
    );
  }
  const count = Math.ceil((options.dataMiB * mebibyte) / rowBytes);
  const sample = () => server.memory().residentBytes / mebibyte;
  const memory = await fillAndRead(rows, { count, letters, sample, signal: subject.signal });
  const evidence = { ...disk, ...memory, dataMiB: options.dataMiB };
  const inMemory = isInMemory(subject.productDirectory);
  if (memory.keptMiB > options.dataMiB * (inMemory ? heldShareMax : memoryShareMax)) {
    const held = inMemory ? "" : " with caches of a few MiB";
    return verdict.reject(
      `resident memory grew by ${memory.keptMiB} MiB over ${options.dataMiB} MiB of data${held}`,
      evidence,
    );
  }
  return verdict.admit(
    `memory grew by ${memory.keptMiB} MiB over ${options.dataMiB} MiB of data; the directory by ` +
      `${disk.grownMiB} MiB over ${disk.writtenMiB} MiB of overwrites`,
    evidence,
  );
}

interface Overwriting {
  readonly dataDirectory: string;
  readonly bytes: number;
  readonly next: () => number;
  readonly letters: RandomLetters;
}

/** Overwrites about 1 MiB of rows. */
async function overwrite(
  rows: BoundedRows,
  { dataDirectory, bytes, next, letters }: Overwriting,
): Promise<{ grownMiB: number; writtenMiB: number; directoryMiB: number }> {
  const count = 300;
  const perCall = 50;
  const all = Array.from({ length: count }, (_, id) => ({ id, value: letters.take(rowBytes) }));
  for (let at = 0; at < count; at += 100) await rows.overwrite(all.slice(at, at + 100), 0);
  const calls = Math.ceil(bytes / rowBytes / perCall);
  const samples: number[] = [];
  for (let call = 0; call < calls; call++) {
    const changed = Array.from({ length: perCall }, () => {
      return { id: Math.floor(next() * count), value: letters.take(rowBytes) };
    });
    await rows.overwrite(changed, call * perCall + 1);
    samples.push(directoryBytes(dataDirectory) / mebibyte);
  }
  const quarter = Math.max(1, samples.length >> 2);
  const secondMiB = Math.min(...samples.slice(quarter, 2 * quarter));
  const lastMiB = Math.min(...samples.slice(-quarter));
  return {
    grownMiB: round(lastMiB - secondMiB),
    writtenMiB: round((2 * quarter * perCall * rowBytes) / mebibyte),
    directoryMiB: round(samples[samples.length - 1]),
  };
}

/** Writes rows and reads each of them, in rounds; samples memory all the while. */
async function fillAndRead(
  rows: BoundedRows,
  options: {
    count: number;
    letters: RandomLetters;
    sample: () => number;
    signal: AbortSignal | undefined;
  },
): Promise<{ baseMiB: number; lastMiB: number; peakMiB: number; keptMiB: number }> {
  const { letters } = options;
  const perRound = 100;
  const roundsBehind = 16;
  const rounds = Math.ceil(options.count / perRound);
  const samples: number[] = [];
  for (let round = 0; round < rounds && options.signal?.aborted !== true; round++) {
    // Ascending keys: files are moved down, not merged, so that the time goes into filling memory.
    const ids = Array.from({ length: perRound }, (_, at) => round * perRound + at);
    await rows.insert(ids.map((id) => ({ id, value: letters.take(rowBytes) })));
    samples.push(options.sample());
    // Rows of some rounds ago, which have left the memtables: they are read from files.
    if (round < roundsBehind) continue;
    await rows.read(ids.map((id) => id - roundsBehind * perRound));
    samples.push(options.sample());
  }
  const stretch = Math.max(1, samples.length >> 3);
  const baseMiB = Math.min(...samples.slice(stretch >> 1, stretch));
  const lastMiB = Math.min(...samples.slice(-stretch));
  return {
    baseMiB: round(baseMiB),
    lastMiB: round(lastMiB),
    peakMiB: round(Math.max(...samples)),
    keptMiB: round(lastMiB - baseMiB),
  };
}

async function expectOk(connection: GateConnection, sql: string): Promise<void> {
  const results = await connection.query(sql);
  const failed = results.find((result) => result.error !== undefined);
  if (failed?.error !== undefined) throw new Error(`${failed.error.message} (${sql.slice(0, 60)}…)`);
}

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
