/**
 * Use case: read every byte of a data directory and say per file what is wrong. Nothing is changed, not even a lock
 * taken; a store that is being served is refused.
 */
import { readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { nodeDisk } from "../kit/env/node-disk.ts";
import { inspectLog } from "../parts/core/wal/log-inspection.ts";
import type { FileProblem } from "../parts/storage/storage_model/row/kvlsm/blackboard/scrub.ts";
import { ByteProgress } from "./byte-progress.ts";
import { type EngineScrub, scrubEngine } from "./engine-files.ts";
import { findStore, refuseWhileServed, type StoreDirectory } from "./store-directory.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface ScrubbedFile {
  readonly file: string;
  readonly kind: string;
  readonly sizeBytes: number;
  readonly problems: readonly FileProblem[];
}

export interface ScrubResult {
  readonly directory: string;
  readonly files: readonly ScrubbedFile[];
  readonly damagedFiles: number;
  readonly checkedBytes: number;
  /** Versions of keys in the tables. */
  readonly entries: number;
  readonly logEntries: number;
}

/** Errors: NOT_FOUND, LOCKED, IO_ERROR, CANCELLED. */
export async function scrubDirectory(path: string, context: UseCaseContext): Promise<ScrubResult> {
  const store = findStore(path);
  const wayOut = "its files would change meanwhile: stop it, or scrub a backup of it (`lathe backup`)";
  refuseWhileServed(store, wayOut);
  const files: ScrubbedFile[] = [];
  const steps = scrubEngine(store);
  const progress = new ByteProgress(context, "checked");
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) await progress.add(step.value);
  let checkedBytes = progress.bytes;
  const { state, entryCount } = step.value;
  for (const { file, kind, sizeBytes, problems } of step.value.files) {
    files.push({ file: relative(path, join(store.engine, file)), kind, sizeBytes, problems });
  }
  let logEntries = 0;
  if (store.wal !== undefined) {
    const log = scrubLog(store, store.wal, state);
    files.push(...log.files);
    logEntries = log.entries;
    checkedBytes += log.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }
  if (store.isProduct) files.push(...otherFiles(store));
  // A server that was started meanwhile would make what was found worthless.
  refuseWhileServed(store, wayOut);
  const damaged = files.filter(({ problems }) => problems.some(({ severity }) => severity === "damage"));
  return { directory: path, files, damagedFiles: damaged.length, checkedBytes, entries: entryCount, logEntries };
}

function scrubLog(
  { path, selectionHash }: StoreDirectory,
  wal: string,
  state: EngineScrub["state"],
): { files: ScrubbedFile[]; entries: number } {
  if (!nodeDisk.exists(wal)) {
    // A store that was never written to has no log yet.
    const what = "it is missing: what was acknowledged after the tables were written is lost with it";
    const problems: FileProblem[] = [{ severity: "damage", offset: 0, what }];
    const isLost = state === undefined || state.durableIndex > 0;
    return { files: isLost ? [{ file: relative(path, wal), kind: "log", sizeBytes: 0, problems }] : [], entries: 0 };
  }
  const { segments, refusal, firstIndex, lastIndex } = inspectLog(nodeDisk, wal, selectionHash);
  const files = segments.map(({ name, kind, sizeBytes, damage, recordsBehind }): ScrubbedFile => {
    const file = relative(path, join(wal, name));
    const refused = refusal?.path?.endsWith(`/${name}`) === true;
    const problems: FileProblem[] = [];
    // Only recovery knows which records behind an end matter: those of a superseded segment do not.
    if (refused) problems.push({ severity: "damage", offset: refusal.offset, what: refusal.what });
    else if (damage !== undefined) {
      problems.push({ severity: recordsBehind > 0 && refusal === undefined ? "note" : "damage", ...damage });
    }
    if (kind === "other") problems.push({ severity: "note", offset: 0, what: "not a file of the log" });
    return { file, kind, sizeBytes, problems };
  });
  if (refusal !== undefined && !files.some(({ problems }) => problems.some(({ severity }) => severity === "damage"))) {
    const problems: FileProblem[] = [{ severity: "damage", offset: refusal.offset, what: refusal.what }];
    files.push({ file: relative(path, wal), kind: "log", sizeBytes: 0, problems });
  }
  const entries = firstIndex === undefined || lastIndex === undefined ? 0 : lastIndex - firstIndex + 1;
  const durable = state?.durableIndex;
  if (durable !== undefined && firstIndex !== undefined && lastIndex !== undefined) {
    if (firstIndex > durable + 1 || lastIndex < durable) {
      const what = `it holds entries ${firstIndex} to ${lastIndex}, the files end at ${durable}: they do not meet`;
      files.push({
        file: relative(path, wal), kind: "log", sizeBytes: 0, problems: [{ severity: "damage", offset: 0, what }],
      });
    }
  }
  return { files, entries };
}

/** What a product has beside its store. */
function otherFiles({ path }: StoreDirectory): ScrubbedFile[] {
  return readdirSync(path)
    .filter((name) => !["engine", "wal"].includes(name))
    .sort()
    .map((name): ScrubbedFile => {
      const status = statSync(join(path, name));
      const problems: FileProblem[] = [];
      const note = (what: string) => problems.push({ severity: "note", offset: 0, what });
      if (name === "password") {
        if ((status.mode & 0o077) !== 0) note("other users can read it; run chmod 600");
        if (status.size === 0) problems.push({ severity: "damage", offset: 0, what: "it is empty" });
        return { file: name, kind: "credentials", sizeBytes: status.size, problems };
      }
      if (name.startsWith("LOCK")) return { file: name, kind: "lock", sizeBytes: status.size, problems };
      if (name === "control.sock") return { file: name, kind: "control", sizeBytes: 0, problems };
      if (name === "checkpoints") {
        const left = readdirSync(join(path, name));
        if (left.length > 0) note(`${left.join(", ")}: left behind by a backup; remove it when none is under way`);
      } else note("not a file of the store; it was not looked at");
      return { file: name, kind: "other", sizeBytes: status.size, problems };
    });
}
