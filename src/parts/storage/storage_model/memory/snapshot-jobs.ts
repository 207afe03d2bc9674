/**
 * The jobs by which a snapshot gets to the disk, each a few I/O calls, on another thread.
 *
 *   1. `blockJob` seals one block (shared memory that the owner filled), writes it, and flushes the file where it is
 *   told.
 *   2. `switchJob` makes CURRENT name the new file: from its end on the snapshot counts.
 *   3. `removeJob` removes the files that CURRENT does not name. What cannot be removed is tried again after the next
 *      snapshot, and at the next opening.
 */
import type { JobContext, JobReference } from "../../../../kit/env/env.ts";
import { fileHeaderBytes } from "../../../../kit/file-header.ts";
import { type CurrentState, writeCurrent } from "./current-file.ts";
import { sealBlock, snapshotHeader, snapshotNumberOf } from "./snapshot-file.ts";

export interface BlockInput {
  readonly directory: string;
  readonly path: string;
  readonly selectionHash: string;
  /** Bytes of the block; the owner leaves them alone until the job has ended. */
  readonly block: SharedArrayBuffer;
  readonly length: number;
  /** Where it goes; behind the header the file is made. */
  readonly position: number;
  /** Whether it is sealed already. */
  readonly isSealed: boolean;
  /** What is flushed afterwards: nothing, the file, or the file and its name. */
  readonly flush: "nothing" | "file" | "name";
}

export interface SwitchInput {
  readonly directory: string;
  readonly selectionHash: string;
  readonly state: CurrentState;
}

const moduleUrl = import.meta.url;
export const blockJobReference: JobReference = { moduleUrl, exportName: "blockJob" };
export const switchJobReference: JobReference = { moduleUrl, exportName: "switchJob" };
export const removeJobReference: JobReference = { moduleUrl, exportName: "removeJob" };

export function* blockJob({ disk }: JobContext, input: BlockInput): Generator<number, void, void> {
  const { path, position, length } = input;
  // A copy that is not shared: not every system call takes shared memory.
  const block = new Uint8Array(input.block, 0, length).slice();
  if (!input.isSealed) sealBlock(block);
  const isFirst = position === fileHeaderBytes;
  yield 0;
  const file = disk.open(path, isFirst ? "create" : "write");
  try {
    if (isFirst) file.writeSync(snapshotHeader(input.selectionHash), 0, fileHeaderBytes, 0);
    yield 0;
    file.writeSync(block, 0, length, position);
    yield 0;
    if (input.flush !== "nothing") file.syncSync();
  } finally {
    file.close();
  }
  yield 0;
  if (input.flush === "name") disk.syncDirectory(input.directory);
}

export function* switchJob({ disk }: JobContext, input: SwitchInput): Generator<number, void, void> {
  yield* writeCurrent(disk, input.directory, input.selectionHash, input.state);
}

export function* removeJob({ disk }: JobContext, input: SwitchInput): Generator<number, void, void> {
  for (const name of disk.list(input.directory)) {
    const number = snapshotNumberOf(name);
    if (number === undefined || number === input.state.snapshotNumber) continue;
    yield 0;
    disk.unlink(`${input.directory}/${name}`);
  }
}
