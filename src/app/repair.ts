/**
 * Use case: make a usable data directory out of a damaged one, in another directory; the original is only read.
 *
 *   1. The log is looked through for whole entries; where it begins bounds what the files must hold.
 *   2. The engine's files are repaired (blackboard/repair.ts).
 *   3. From where the repaired files end, the log is written anew. An entry that is damaged is replaced by one that
 *      does nothing, so that those behind it keep their place; they are applied without it.
 */
import { chmodSync, copyFileSync, existsSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { nodeDisk } from "../kit/env/node-disk.ts";
import { createNodeEnv } from "../kit/env/node-env.ts";
import { LatheError } from "../kit/errors.ts";
import { commandCodec } from "../parts/concurrency/transaction/model/one_shot_command/command-codec.ts";
import { writeLogCopy } from "../parts/core/wal/log-copy.ts";
import { inspectLog, salvageEntries } from "../parts/core/wal/log-inspection.ts";
import { decodeLogEntry, encodeLogEntry } from "../parts/replication/log-entry.ts";
import { type RepairReport, repairStore } from "../parts/storage/storage_model/row/kvlsm/blackboard/repair.ts";
import { ByteProgress } from "./byte-progress.ts";
import { intoNewDirectory } from "./new-directory.ts";
import { findStore, refuseWhileServed, type StoreDirectory } from "./store-directory.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface RepairRequest {
  readonly directory: string;
  /** Missing or empty; `<directory>-repaired` by default. */
  readonly out: string | undefined;
  readonly dryRun: boolean;
}

export interface RepairResult {
  readonly directory: string;
  /** Undefined for a dry run. */
  readonly out: string | undefined;
  readonly manifest: RepairReport["manifest"];
  readonly files: readonly RepairedFileResult[];
  readonly savedEntries: number;
  readonly log: LogRepair | undefined;
  /** Whether anything is lost. */
  readonly complete: boolean;
}

export interface RepairedFileResult {
  readonly file: string;
  readonly outcome: "kept" | "salvaged" | "lost";
  readonly savedEntries: number;
  readonly lostEntries: number | undefined;
  /** Bounds in hex: none below `first`, all below `next`; absent where not known. */
  readonly lostRanges: readonly { readonly first?: string; readonly next?: string }[];
  readonly problems: readonly string[];
}

export interface LogRepair {
  readonly savedEntries: number;
  /** Indexes of entries that could not be read, with both ends; without `to` nobody knows how many there were. */
  readonly lost: readonly { readonly from: number; readonly to?: number }[];
  /** Segments of which nothing could be read, and the log itself where it is missing. */
  readonly unreadable: readonly string[];
}

/** A snapshot is one sequence of blocks: there is nothing beside a damaged one that could be kept. */
function refuseMemory({ path, engineKind }: StoreDirectory): void {
  if (engineKind !== "memory") return;
  throw new LatheError(
    "INVALID_ARGUMENT",
    `${path} is of the engine in memory, whose data are one snapshot and the log: nothing is repaired there. ` +
      "`lathe check --scrub` says whether anything is damaged; where it is, `lathe restore` brings back a backup",
    { details: { path } },
  );
}

/**
 * Errors: INVALID_ARGUMENT (the engine in memory), NOT_FOUND, LOCKED, ALREADY_EXISTS, FORMAT_UNKNOWN, DISK_FULL,
 * IO_ERROR, CANCELLED.
 */
export async function repairDirectory(request: RepairRequest, context: UseCaseContext): Promise<RepairResult> {
  const store = findStore(request.directory);
  refuseMemory(store);
  const wayOut = "its files would change meanwhile: stop it first";
  refuseWhileServed(store, wayOut);
  const repair = async (out: string | undefined) => {
    const result = await repairInto(request, store, out, context);
    // A server that was started meanwhile would make what was read worthless.
    refuseWhileServed(store, wayOut);
    return result;
  };
  if (request.dryRun) return repair(undefined);
  const out = request.out ?? `${request.directory.replace(/\/+$/, "")}-repaired`;
  return intoNewDirectory(out, () => repair(out));
}

async function repairInto(
  { directory, dryRun }: RepairRequest,
  store: StoreDirectory,
  out: string | undefined,
  context: UseCaseContext,
): Promise<RepairResult> {
  const report = await repairEngine(store, out, dryRun, context);
  const log = store.wal === undefined ? undefined : repairLog(store, store.wal, report, out);
  if (out !== undefined && existsSync(join(directory, "password"))) {
    copyFileSync(join(directory, "password"), join(out, "password"));
    chmodSync(join(out, "password"), 0o600);
  }
  const files = report.files.map((file) => ({
    ...file,
    lostRanges: file.lostRanges.map(({ first, next }) => ({ ...hexOf("first", first), ...hexOf("next", next) })),
  }));
  const complete = files.every(({ lostRanges }) => lostRanges.length === 0) && (log?.lost.length ?? 0) === 0;
  const { manifest, savedEntries } = report;
  return { directory, out, manifest, files, savedEntries, log, complete };
}

async function repairEngine(
  store: StoreDirectory,
  out: string | undefined,
  dryRun: boolean,
  context: UseCaseContext,
): Promise<RepairReport> {
  const target = out === undefined ? "" : store.isProduct ? join(out, "engine") : out;
  const { selectionHash } = store;
  const logFirstIndex = store.wal === undefined ? undefined : firstEntry(store, store.wal);
  const env = createNodeEnv({ logLevel: "error" });
  const options = { directory: store.engine, target, selectionHash, dryRun, logFirstIndex };
  const progress = new ByteProgress(context, "read");
  try {
    const steps = repairStore({ disk: env.disk, clock: env.clock }, options);
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) await progress.add(step.value);
    return step.value;
  } finally {
    await env.threads.close();
  }
}

function firstEntry({ selectionHash }: StoreDirectory, wal: string): number | undefined {
  if (!nodeDisk.exists(wal)) return undefined;
  for (const { index } of salvageEntries(nodeDisk, wal, selectionHash, 1)) return index;
  return undefined;
}

/** Writes entries from the last one that the files hold on (a start needs its time). */
function repairLog(
  { selectionHash, isProduct }: StoreDirectory,
  wal: string,
  { filesIndex, durableIndex, manifest }: RepairReport,
  out: string | undefined,
): LogRepair {
  const { unreadable, tailLost } = unreadableSegments(wal, selectionHash, filesIndex);
  const lost: { from: number; to?: number }[] = [];
  // Where the manifest is lost too, nobody knows how far the files went: only a log that is damaged tells of a gap.
  if (durableIndex > filesIndex && (manifest === "kept" || unreadable.length > 0)) {
    lost.push({ from: filesIndex + 1, to: durableIndex });
  }
  let savedEntries = 0;
  // What does nothing: a command without steps, or a batch without operations.
  const empty = (like: Uint8Array) => (isProduct ? commandWithoutSteps(like) : new Uint8Array(0));
  const from = Math.max(1, durableIndex);
  const salvaged = nodeDisk.exists(wal) ? salvageEntries(nodeDisk, wal, selectionHash, from) : [].values();
  const first = salvaged.next();
  let firstIndex = durableIndex + 1;
  if (first.done !== true && first.value.index === durableIndex) firstIndex = durableIndex;
  let expected = firstIndex;
  const entries = function* (): Generator<Uint8Array, void, void> {
    for (let found = first; found.done !== true; found = salvaged.next()) {
      const { index, entry } = found.value;
      if (index > expected) lost.push({ from: expected, to: index - 1 });
      for (; expected < index; expected++) yield empty(entry);
      if (index > durableIndex) savedEntries++;
      yield entry;
      expected = index + 1;
    }
  };
  if (out === undefined) for (const entry of entries()) void entry;
  else {
    const nextSalt = () => randomBytes(4).readUInt32LE();
    writeLogCopy(nodeDisk, { directory: join(out, "wal"), selectionHash, firstIndex, nextSalt }, entries());
  }
  if (tailLost) lost.push({ from: expected });
  return { savedEntries, lost, unreadable };
}

/** Segments whose header does not hold give nothing; behind the last one nobody knows how many entries there were. */
function unreadableSegments(
  wal: string,
  selectionHash: string,
  filesIndex: number,
): { unreadable: string[]; tailLost: boolean } {
  const found = nodeDisk.exists(wal) ? inspectLog(nodeDisk, wal, selectionHash) : undefined;
  const segments = found?.segments.filter(({ kind }) => kind === "segment") ?? [];
  // A store that was never written to has no log yet.
  const none = { unreadable: [], tailLost: false };
  if (segments.length === 0) return filesIndex === 0 ? none : { unreadable: ["wal"], tailLost: true };
  if (found?.refusal === undefined) return none;
  const lost = segments.filter(({ firstIndex, recordsBehind }) => firstIndex === undefined && recordsBehind === 0);
  const unreadable = lost.map(({ name }) => `wal/${name}`);
  return { unreadable, tailLost: lost.includes(segments[segments.length - 1]) };
}

/** With the time of a neighbour, because times never go backwards. */
function commandWithoutSteps(neighbour: Uint8Array): Uint8Array {
  const { timestampMs, term } = decodeLogEntry(neighbour);
  return encodeLogEntry({ timestampMs, term, clientId: 0, requestId: 0, command: commandCodec.encode({ steps: [] }) });
}

function hexOf(name: "first" | "next", key: Uint8Array | undefined): Record<string, string> {
  return key === undefined ? {} : { [name]: Buffer.from(key).toString("hex") };
}
