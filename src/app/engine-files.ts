/**
 * EngineFiles: what backups, restores and scrubs ask of the files of a product's engine, whichever engine it is.
 */
import { nodeDisk } from "../kit/env/node-disk.ts";
import type { Env } from "../kit/env/env.ts";
import { LatheError } from "../kit/errors.ts";
import { openMemoryEngine } from "../parts/storage/storage_model/memory/memory-engine.ts";
import { inspectMemoryStore } from "../parts/storage/storage_model/memory/store-inspection.ts";
import {
  openBlackboardEngine,
} from "../parts/storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts";
import {
  hashStoreContent, type StoreContent,
} from "../parts/storage/storage_model/row/kvlsm/blackboard/content-hash.ts";
import { tableName } from "../parts/storage/storage_model/row/kvlsm/blackboard/file-names.ts";
import { type FileProblem, readStoreState, scrubStore }
  from "../parts/storage/storage_model/row/kvlsm/blackboard/scrub.ts";
import type { StoreDirectory } from "./store-directory.ts";

export interface EngineState {
  /** The last log entry that the files hold. */
  readonly durableIndex: number;
  readonly fileNames: readonly string[];
}

export interface EngineScrub {
  readonly state: Pick<EngineState, "durableIndex"> | undefined;
  readonly entryCount: number;
  readonly files: readonly {
    readonly file: string; readonly kind: string; readonly sizeBytes: number; readonly problems: readonly FileProblem[];
  }[];
}

/** Errors: CORRUPTION, FORMAT_UNKNOWN, IO_ERROR. */
export function readEngineState({ engine, engineKind, selectionHash }: StoreDirectory): EngineState {
  if (engineKind === "memory") {
    const { current, files } = inspectMemoryStore(nodeDisk, engine, selectionHash);
    const problem = damageOf(files);
    if (current === undefined || problem !== undefined) {
      throw new LatheError("CORRUPTION", `${problem}; restore a backup (\`lathe restore\`)`);
    }
    const fileNames = files.filter(({ problems }) => problems.length === 0).map(({ file }) => file);
    return { durableIndex: current.index, fileNames };
  }
  const { state, reports } = readStoreState(nodeDisk, engine, selectionHash);
  const problem = damageOf(reports);
  if (state === undefined || problem !== undefined) {
    const what = problem ?? "it has no CURRENT";
    throw new LatheError("CORRUPTION", `${engine}: ${what}; run \`lathe repair\` and back up what it makes`);
  }
  const tables = state.levels.flat().map(({ number }) => tableName(number));
  return { durableIndex: state.durableIndex, fileNames: [...reports.map(({ file }) => file), ...tables] };
}

function damageOf(files: readonly { readonly problems: readonly FileProblem[] }[]): string | undefined {
  return files.flatMap(({ problems }) => problems).find(({ severity }) => severity === "damage")?.what;
}

/** Yields bytes read. */
export function* scrubEngine(
  { engine, engineKind, selectionHash }: StoreDirectory,
): Generator<number, EngineScrub, void> {
  if (engineKind !== "memory") return yield* scrubStore(nodeDisk, engine, selectionHash);
  const { current, files, keyCount } = inspectMemoryStore(nodeDisk, engine, selectionHash);
  yield files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { state: current === undefined ? undefined : { durableIndex: current.index }, entryCount: keyCount, files };
}

/** A hash over what the files hold; yields bytes read. Errors: CORRUPTION, FORMAT_UNKNOWN, IO_ERROR. */
export function* hashEngine(
  { engine, engineKind, selectionHash }: StoreDirectory,
): Generator<number, StoreContent, void> {
  if (engineKind === "memory") {
    const { files, keyCount, contentHash } = inspectMemoryStore(nodeDisk, engine, selectionHash);
    const problem = damageOf(files);
    if (problem !== undefined) throw new LatheError("CORRUPTION", problem);
    yield files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return { keyCount, hash: contentHash };
  }
  const { state } = readStoreState(nodeDisk, engine, selectionHash);
  if (state === undefined) throw new LatheError("CORRUPTION", `${engine} has no readable manifest`);
  return yield* hashStoreContent(nodeDisk, engine, selectionHash, state);
}

/** The product's own limit is in its knobs; here the files say how much there is. */
function roomFor({ engine, selectionHash }: StoreDirectory): number {
  const { files, keyCount } = inspectMemoryStore(nodeDisk, engine, selectionHash);
  return Math.min(2 ** 34, 2 ** 24 + 2 * files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) + 128 * keyCount);
}

/** Opens the files as a server would, and closes them; the last log entry that they hold. */
export async function openedIndex(env: Env, store: StoreDirectory): Promise<number> {
  const { engine: directory, engineKind, selectionHash } = store;
  const options = { directory, selectionHash };
  const engine = engineKind === "memory"
    ? await openMemoryEngine(env, { ...options, bytesMax: roomFor(store) })
    : await openBlackboardEngine(env, options);
  const { durableIndex } = engine;
  await engine.close();
  return durableIndex;
}
