/**
 * SimulatedDisk: a file system in memory that forgets what was not synced.
 *
 * Purpose: crash a product at any I/O call and see what its recovery makes of the rest.
 * Model:
 *   1. Each file has its bytes as the process sees them, and a list of writes since its last sync.
 *   `sync` empties the list.
 *   2. `crash(random)` returns a new disk as after a power loss: synced bytes are all there; of the
 *   unsynced writes an arbitrary subset reached the device, and any of these may be torn at a sector
 *   (512 bytes) boundary.
 *   3. Names: creations, renames and removals are durable after `syncDirectory`; at a crash an
 *   arbitrary prefix of the later ones is there (file systems journal metadata in order).
 *   4. `failAt` makes the n-th call fail with a code, once or from then on; `calls` counts calls that
 *   change something. Source: FoundationDB's AsyncFileNonDurable, RocksDB's FaultInjectionTestFS,
 *   SQLite's crash VFS.
 */
import type { Disk, DiskFile, DiskLock } from "../kit/env/env.ts";
import { LatheError, type ErrorCode } from "../kit/errors.ts";

const sectorBytes = 512;

interface UnsyncedWrite {
  readonly position: number;
  readonly bytes: Uint8Array;
}

interface FileState {
  bytes: Uint8Array;
  length: number;
  /** Bytes as they would be after a crash that lost all unsynced writes. */
  durable: Uint8Array;
  unsynced: UnsyncedWrite[];
}

type NameChange =
  | { readonly kind: "create"; readonly path: string; readonly file: FileState }
  | { readonly kind: "rename"; readonly source: string; readonly target: string }
  | { readonly kind: "unlink"; readonly path: string };

export interface Fault {
  /** Number of the call that fails, from 1. */
  readonly call: number;
  readonly code: ErrorCode | "CRASH";
  readonly persistent: boolean;
}

/** Thrown at the call where the machine is to lose power; nothing after it happens. */
export class SimulatedCrash extends Error {
  readonly code = "SIMULATED_CRASH";
}

export class SimulatedDisk implements Disk {
  /** Calls so far that change something or make it durable. */
  calls = 0;
  fault: Fault | undefined;
  crashed = false;
  readonly #files = new Map<string, FileState>();
  readonly #durableNames = new Map<string, FileState>();
  #changes: NameChange[] = [];
  readonly #directories = new Set<string>(["/"]);
  readonly #locks = new Set<string>();

  open(path: string, mode: "read" | "write" | "create"): DiskFile {
    this.#step();
    let file = this.#files.get(path);
    if (mode === "create") {
      if (file !== undefined) throw new LatheError("ALREADY_EXISTS", `${path} exists`);
      file = { bytes: new Uint8Array(0), length: 0, durable: new Uint8Array(0), unsynced: [] };
      this.#files.set(path, file);
      this.#changes.push({ kind: "create", path, file });
    }
    if (file === undefined) throw new LatheError("NOT_FOUND", `${path} does not exist`);
    return new SimulatedFile(path, file, () => this.#step());
  }

  makeDirectory(path: string): void {
    const parts = path.split("/").filter((part) => part !== "");
    parts.forEach((_, index) => this.#directories.add(`/${parts.slice(0, index + 1).join("/")}`));
  }

  list(path: string): string[] {
    const prefix = path.endsWith("/") ? path : `${path}/`;
    const names = [...this.#files.keys(), ...this.#directories]
      .filter((name) => name.startsWith(prefix) && name.length > prefix.length)
      .map((name) => name.slice(prefix.length).split("/")[0]);
    if (names.length === 0 && !this.#directories.has(path)) {
      throw new LatheError("NOT_FOUND", `${path} does not exist`);
    }
    return [...new Set(names)].sort();
  }

  exists(path: string): boolean {
    return this.#files.has(path) || this.#directories.has(path);
  }

  size(path: string): number {
    return this.#get(path).length;
  }

  rename(source: string, target: string): void {
    this.#step();
    this.#files.set(target, this.#get(source));
    this.#files.delete(source);
    this.#changes.push({ kind: "rename", source, target });
  }

  unlink(path: string): void {
    this.#step();
    this.#get(path);
    this.#files.delete(path);
    this.#changes.push({ kind: "unlink", path });
  }

  link(source: string, target: string): void {
    this.#step();
    const file = this.#get(source);
    this.#files.set(target, file);
    this.#changes.push({ kind: "create", path: target, file });
  }

  syncDirectory(_path: string): void {
    this.#step();
    for (const change of this.#changes) applyChange(this.#durableNames, change);
    this.#changes = [];
  }

  freeBytes(): number {
    return 2 ** 40;
  }

  lock(directory: string): DiskLock {
    if (this.#locks.has(directory)) throw new LatheError("LOCKED", `${directory} is in use by this process`);
    this.#locks.add(directory);
    return { release: () => this.#locks.delete(directory) };
  }

  /** The disk as a machine finds it after power returns. `next` is uniform in [0, 1). */
  crash(next: () => number): SimulatedDisk {
    const after = new SimulatedDisk();
    const names = new Map(this.#durableNames);
    const kept = Math.floor(next() * (this.#changes.length + 1));
    for (const change of this.#changes.slice(0, kept)) applyChange(names, change);
    const survivors = new Map<FileState, FileState>();
    for (const [path, file] of names) {
      let survivor = survivors.get(file);
      if (survivor === undefined) survivors.set(file, (survivor = survive(file, next)));
      after.#files.set(path, survivor);
      after.#durableNames.set(path, survivor);
    }
    for (const directory of this.#directories) after.#directories.add(directory);
    return after;
  }

  #get(path: string): FileState {
    const file = this.#files.get(path);
    if (file === undefined) throw new LatheError("NOT_FOUND", `${path} does not exist`);
    return file;
  }

  #step(): void {
    if (this.crashed) throw new SimulatedCrash("the machine is off");
    this.calls++;
    const fault = this.fault;
    if (fault === undefined) return;
    if (this.calls === fault.call || (fault.persistent && this.calls > fault.call)) {
      if (fault.code === "CRASH") {
        this.crashed = true;
        throw new SimulatedCrash(`power lost at call ${this.calls}`);
      }
      throw new LatheError(fault.code, `injected ${fault.code} at call ${this.calls}`);
    }
  }
}

class SimulatedFile implements DiskFile {
  readonly path: string;
  readonly #file: FileState;
  readonly #step: () => void;

  constructor(path: string, file: FileState, step: () => void) {
    this.path = path;
    this.#file = file;
    this.#step = step;
  }

  readSync(target: Uint8Array, targetOffset: number, length: number, position: number): number {
    const end = Math.min(this.#file.length, position + length);
    if (end <= position) return 0;
    target.set(this.#file.bytes.subarray(position, end), targetOffset);
    return end - position;
  }

  async read(target: Uint8Array, targetOffset: number, length: number, position: number): Promise<number> {
    return this.readSync(target, targetOffset, length, position);
  }

  writeSync(source: Uint8Array, sourceOffset: number, length: number, position: number): void {
    this.#step();
    const bytes = source.slice(sourceOffset, sourceOffset + length);
    writeAt(this.#file, position, bytes);
    this.#file.unsynced.push({ position, bytes });
  }

  async sync(): Promise<void> {
    this.syncSync();
  }

  syncSync(): void {
    this.#step();
    this.#file.durable = this.#file.bytes.slice(0, this.#file.length);
    this.#file.unsynced = [];
  }

  allocateSync(length: number): void {
    if (length <= this.#file.length) return;
    this.writeSync(new Uint8Array(length - this.#file.length), 0, length - this.#file.length, this.#file.length);
  }

  truncateSync(length: number): void {
    this.#step();
    // Kept simple and harsh: a truncation is durable at once, a growth is a write of zeros.
    if (length > this.#file.length) return this.allocateSync(length);
    this.#file.length = length;
    this.#file.durable = this.#file.durable.slice(0, length);
    this.#file.unsynced = this.#file.unsynced
      .filter((write) => write.position < length)
      .map((write) => ({ position: write.position, bytes: write.bytes.slice(0, length - write.position) }));
  }

  sizeSync(): number {
    return this.#file.length;
  }

  close(): void {}
}

function applyChange(names: Map<string, FileState>, change: NameChange): void {
  if (change.kind === "create") names.set(change.path, change.file);
  else if (change.kind === "unlink") names.delete(change.path);
  else {
    const file = names.get(change.source);
    if (file !== undefined) names.set(change.target, file);
    names.delete(change.source);
  }
}

function writeAt(file: FileState, position: number, bytes: Uint8Array): void {
  const end = position + bytes.length;
  if (end > file.bytes.length) {
    const larger = new Uint8Array(Math.max(end, file.bytes.length * 2));
    larger.set(file.bytes.subarray(0, file.length));
    file.bytes = larger;
  }
  if (position > file.length) file.bytes.fill(0, file.length, position);
  file.bytes.set(bytes, position);
  file.length = Math.max(file.length, end);
}

/**
 * What is left of a file: its durable bytes, and of each unsynced write nothing, all, or some of its
 * sectors.
 */
function survive(file: FileState, next: () => number): FileState {
  const result: FileState = {
    bytes: file.durable.slice(),
    length: file.durable.length,
    durable: new Uint8Array(0),
    unsynced: [],
  };
  // The newest writes are lost more often than not, but any subset is possible.
  const fate = next();
  for (const write of file.unsynced) {
    const luck = fate < 0.25 ? 0 : fate < 0.5 ? 1 : next();
    if (luck < 0.3) continue;
    if (luck > 0.6) writeAt(result, write.position, write.bytes);
    else writeSectors(result, write, next);
  }
  result.durable = result.bytes.slice(0, result.length);
  return result;
}

function writeSectors(file: FileState, write: UnsyncedWrite, next: () => number): void {
  let at = 0;
  while (at < write.bytes.length) {
    const sectorEnd = (Math.floor((write.position + at) / sectorBytes) + 1) * sectorBytes - write.position;
    const end = Math.min(sectorEnd, write.bytes.length);
    if (next() < 0.5) writeAt(file, write.position + at, write.bytes.subarray(at, end));
    at = end;
  }
}
