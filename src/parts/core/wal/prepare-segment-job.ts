/**
 * Makes a segment file ready for use, off the owner's thread: allocating and flushing tens of megabytes
 * takes as long as thousands of commits.
 *
 * Steps, each durable before the next:
 *   1. A retired segment gets the spare's name, so that it is no longer taken for a part of the log. Or
 *   else a new file is created and its size written out with zeros.
 *   2. The header with a fresh salt is written: whatever the file held is void.
 */
import type { Job, JobContext } from "../../../kit/env/env.ts";

export interface PrepareSegmentInput {
  readonly directory: string;
  readonly spareName: string;
  /** A retired segment or an old spare to be used again; undefined: create a file. */
  readonly recycledName: string | undefined;
  readonly segmentBytes: number;
  readonly header: Uint8Array;
}

export const prepareSegment: Job<PrepareSegmentInput, void> = function* ({ disk }: JobContext, input) {
  const { directory, recycledName, segmentBytes, header } = input;
  const path = `${directory}/${input.spareName}`;
  if (recycledName !== undefined && recycledName !== input.spareName) {
    disk.rename(`${directory}/${recycledName}`, path);
    disk.syncDirectory(directory);
    yield;
  }
  const file = disk.open(path, recycledName === undefined ? "create" : "write");
  try {
    if (recycledName === undefined) file.allocateSync(segmentBytes);
    yield;
    file.writeSync(header, 0, header.length, 0);
    file.syncSync();
  } finally {
    file.close();
  }
  yield;
  if (recycledName === undefined) disk.syncDirectory(directory);
};

export interface RemoveSegmentInput {
  readonly directory: string;
  readonly name: string;
}

export const removeSegment: Job<RemoveSegmentInput, void> = function* ({ disk }: JobContext, { directory, name }) {
  disk.unlink(`${directory}/${name}`);
  yield;
  disk.syncDirectory(directory);
};
