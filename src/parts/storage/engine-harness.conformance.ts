/**
 * EngineHarness: what the conformance suite of the StorageEngine port needs of an engine under test, and the short
 * words its cases are written in.
 */
import assert from "node:assert/strict";
import type { EngineCapabilities, Snapshot, StorageEngine } from "./engine.ts";
import { WriteBatch } from "./write-batch.ts";

export interface EngineHarness {
  readonly capabilities: EngineCapabilities;
  /** A directory that does not exist yet, on the file system of all the others. */
  newDirectory(): string;
  open(directory: string): Promise<StorageEngine>;
  /** The wall clock of the engines, for the suite to set; without it what expires is not tested. */
  readonly clock?: { nowMs: number };
  /** Removes everything. */
  dispose(): Promise<void>;
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString("latin1");

export async function withEngine(
  harness: EngineHarness,
  run: (engine: StorageEngine) => Promise<void> | void,
): Promise<void> {
  const engine = await harness.open(harness.newDirectory());
  try {
    await run(engine);
  } finally {
    await engine.close();
  }
}

export function put(engine: StorageEngine, ...pairs: readonly (readonly [string, string | undefined])[]): number {
  const batch = new WriteBatch();
  for (const [key, value] of pairs) {
    if (value === undefined) batch.delete(bytesOf(key));
    else batch.put(bytesOf(key), bytesOf(value));
  }
  const index = engine.appliedIndex + 1;
  engine.applySync(batch, index);
  return index;
}

export function read(engine: StorageEngine, key: string, snapshot?: Snapshot): string | undefined {
  return textOf(engine.getSync(bytesOf(key), snapshot));
}

export function walk(engine: StorageEngine, range: Parameters<StorageEngine["scan"]>[0]): string[] {
  const cursor = engine.scan(range);
  const found: string[] = [];
  while (cursor.next()) found.push(`${textOf(cursor.key)}=${textOf(cursor.value)}`);
  assert.equal(cursor.next(), false, "a cursor stays at its end");
  cursor.close();
  return found;
}

/** Fills enough to reach the files, waiting where the engine asks for it. */
export async function fill(engine: StorageEngine, count: number, valueOf: (i: number) => string): Promise<void> {
  for (let i = 0; i < count; i++) {
    for (let wait = engine.backpressure(); wait !== undefined; wait = engine.backpressure()) await wait;
    put(engine, [`key${String(i).padStart(6, "0")}`, valueOf(i)]);
  }
}

/** Applies what `build` adds to an empty batch. */
export function apply(engine: StorageEngine, build: (batch: WriteBatch) => void): number {
  const batch = new WriteBatch();
  build(batch);
  const index = engine.appliedIndex + 1;
  engine.applySync(batch, index);
  return index;
}
