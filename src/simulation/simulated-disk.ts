/**
 * SimulatedDisk: a file system in memory that forgets what was not synced.
 *
 * Purpose: crash a product at any I/O call, let any call fail, and see what its recovery makes of the rest.
 * Model:
 *   1. Files: `file-content.ts`. A `sync` under way covers what was written before it began.
 *   2. Names: creations, renames and removals are durable after `syncDirectory` of their directory; at a crash an
 *   arbitrary prefix of the later ones is there, for each directory apart (file systems journal in order).
 *   Directories themselves are durable at once.
 *   3. `crash(random)` is the disk as a machine finds it after a loss of power: unsynced writes all gone, all there,
 *   cut off in the order in which they were made (the last one torn), or for every sector of 512 or 4096 bytes apart.
 *   `restart()` is the disk after the process alone died: nothing is lost.
 *   4. `fault` makes the n-th changing call fail, once or from then on. `nemesis` is asked before every call, reads
 *   included, and decides what becomes of it (`disk-call.ts`).
 *   5. Space: with `capacityBytes` writes beyond it are DISK_FULL.
 *   6. `world` is told of every call, so that calls take time; asynchronous ones then end later.
 * The port gives no short reads before the end of a file, and no short writes that succeed, so neither does this,
 * except where a nemesis makes a read short.
 * Source: FoundationDB's AsyncFileNonDurable, RocksDB's FaultInjectionTestFS, SQLite's crash VFS.
 */
import type { Disk, DiskFile, DiskLock } from "../kit/env/env.ts";
import { LatheError, type ErrorCode } from "../kit/errors.ts";
import { type DiskCall, type DiskCallKind, type DiskNemesis, type DiskVerdict, isChange } from "./disk-call.ts";
import { type Fate, FileContent, sectorBytes } from "./file-content.ts";

/** Names that are given or taken away together: a rename is both at once. */
type NameChange = readonly { readonly path: string; readonly file: FileContent | undefined }[];

/** Calls that can be half done when power goes. */
const tearable: ReadonlySet<DiskCallKind> = new Set(["write", "sync", "syncDirectory", "rename", "unlink"]);

export interface Fault {
  /** Number of the changing call that fails, from 1. */
  readonly call: number;
  readonly code: ErrorCode | "CRASH";
  readonly persistent: boolean;
}

/** Thrown at the call where the machine is to lose power; nothing after it happens. */
export class SimulatedCrash extends Error {
  readonly code = "SIMULATED_CRASH";
}

/** What the simulated world does with calls. */
export interface DiskWorld {
  /** Takes the time of a call. */
  spend(call: DiskCall): void;
  /** Lets an asynchronous call end later. */
  later(call: DiskCall): Promise<void>;
}

export class SimulatedDisk implements Disk {
  /** Calls so far that change something or make it durable. */
  calls = 0;
  fault: Fault | undefined;
  nemesis: DiskNemesis | undefined;
  world: DiskWorld | undefined;
  capacityBytes = Number.MAX_SAFE_INTEGER;
  crashed = false;
  usedBytes = 0;
  readonly #files = new Map<string, FileContent>();
  readonly #durableNames = new Map<string, FileContent>();
  /** Changes of names per directory that are not durable. */
  readonly #changes = new Map<string, NameChange[]>();
  readonly #directories = new Set<string>(["/"]);
  readonly #locks = new Set<string>();
  #sequence = 0;
  /** What is left to chance inside a fault: which sectors of a failed write are there. */
  #chance: () => number = () => 0.5;

  /** Numbers in [0, 1) for what faults leave to chance. */
  set chance(next: () => number) {
    this.#chance = next;
  }

  open(path: string, mode: "read" | "write" | "create"): DiskFile {
    this.step(mode === "create" ? "create" : "open", path);
    let file = this.#files.get(path);
    if (mode === "create") {
      if (file !== undefined) throw new LatheError("ALREADY_EXISTS", `${path} exists`);
      file = new FileContent();
      this.#name([{ path, file }]);
    }
    if (file === undefined) throw new LatheError("NOT_FOUND", `${path} does not exist`);
    return new SimulatedFile(path, file, this);
  }

  makeDirectory(path: string): void {
    const parts = path.split("/").filter((part) => part !== "");
    parts.forEach((_, index) => this.#directories.add(`/${parts.slice(0, index + 1).join("/")}`));
  }

  list(path: string): string[] {
    this.step("list", path);
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
    const torn = this.step("rename", source) === "torn";
    const file = this.#get(source);
    this.#name([{ path: target, file }, { path: source, file: undefined }]);
    if (torn) this.#powerOff("rename", source);
  }

  unlink(path: string): void {
    const torn = this.step("unlink", path) === "torn";
    this.#get(path);
    this.#name([{ path, file: undefined }]);
    if (torn) this.#powerOff("unlink", path);
  }

  link(source: string, target: string): void {
    this.step("link", source);
    if (this.#files.has(target)) throw new LatheError("ALREADY_EXISTS", `${target} exists`);
    this.#name([{ path: target, file: this.#get(source) }]);
  }

  syncDirectory(path: string): void {
    const verdict = this.step("syncDirectory", path);
    if (verdict === "lost") return;
    const directory = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
    const changes = this.#changes.get(directory) ?? [];
    const done = verdict === "torn" ? Math.floor(this.#chance() * (changes.length + 1)) : changes.length;
    for (const change of changes.splice(0, done)) applyChange(this.#durableNames, change);
    if (verdict === "torn") this.#powerOff("syncDirectory", path);
  }

  freeBytes(): number {
    return Math.max(0, Math.min(2 ** 40, this.capacityBytes - this.usedBytes));
  }

  lock(directory: string): DiskLock {
    if (this.#locks.has(directory)) throw new LatheError("LOCKED", `${directory} is in use by this process`);
    this.#locks.add(directory);
    return { release: () => this.#locks.delete(directory) };
  }

  /** The disk as a machine finds it after power returns. `next` is uniform in [0, 1). */
  crash(next: () => number): SimulatedDisk {
    this.crashed = true;
    const after = this.#successor();
    const fate = this.#drawFate(next);
    const names = new Map(this.#durableNames);
    for (const changes of this.#changes.values()) {
      const kept = Math.floor(next() * (changes.length + 1));
      for (const change of changes.slice(0, kept)) applyChange(names, change);
    }
    const survivors = new Map<FileContent, FileContent>();
    for (const [path, file] of names) {
      let survivor = survivors.get(file);
      if (survivor === undefined) survivors.set(file, (survivor = file.survivor(fate)));
      after.#files.set(path, survivor);
      after.#durableNames.set(path, survivor);
      survivor.names++;
    }
    for (const file of survivors.values()) after.usedBytes += file.length;
    return after;
  }

  /** The disk as the next process finds it when this one was killed: the page cache is as it was. */
  restart(): SimulatedDisk {
    this.crashed = true;
    const after = this.#successor();
    for (const [path, file] of this.#files) after.#files.set(path, file);
    for (const [path, file] of this.#durableNames) after.#durableNames.set(path, file);
    for (const [directory, changes] of this.#changes) after.#changes.set(directory, [...changes]);
    after.usedBytes = this.usedBytes;
    return after;
  }

  /** Names of all files, sorted: what a nemesis may damage. */
  paths(): string[] {
    return [...this.#files.keys()].sort();
  }

  /** Flips one bit of a file, on the device and in the page cache. */
  flipBit(path: string, position: number, bit: number): void {
    this.#get(path).flip(position, bit);
  }

  /** Lets the page cache forget what failed syncs have left in it. Returns how many files that concerned. */
  evictPageCache(): number {
    let evicted = 0;
    for (const file of new Set(this.#files.values())) {
      if (!file.hidesLoss) continue;
      file.evict();
      evicted++;
    }
    return evicted;
  }

  /** Counts a call, spends its time, and says what is to become of it. Throws where it fails. */
  step(kind: DiskCallKind, path: string, position = 0, length = 0): DiskVerdict["kind"] | undefined {
    const call: DiskCall = { kind, path, position, length };
    const verdict = this.verdict(call);
    if (verdict?.kind === "error") throw injected(verdict.code, call);
    return verdict?.kind;
  }

  verdict(call: DiskCall): DiskVerdict | undefined {
    if (this.crashed) throw new SimulatedCrash("the machine is off");
    if (isChange(call.kind)) this.calls++;
    this.world?.spend(call);
    const verdict = this.#strike(call.kind) ?? this.nemesis?.(call);
    if (verdict?.kind === "crash") this.#powerOff(call.kind, call.path);
    if (verdict?.kind === "torn" && !tearable.has(call.kind)) this.#powerOff(call.kind, call.path);
    return verdict;
  }

  /** A write that the cache takes. Errors: DISK_FULL. */
  write(file: FileContent, path: string, position: number, bytes: Uint8Array): void {
    const growth = Math.max(0, position + bytes.length - file.length);
    if (this.usedBytes + growth > this.capacityBytes) {
      this.#takePart(file, position, bytes, Math.max(0, bytes.length - growth));
      throw new LatheError("DISK_FULL", `cannot write ${path}: no space left on the simulated disk`);
    }
    const call: DiskCall = { kind: "write", path, position, length: bytes.length };
    const verdict = this.verdict(call);
    switch (verdict?.kind) {
      case "error":
        this.#takePart(file, position, bytes, bytes.length);
        throw injected(verdict.code, call);
      case "lost":
        return this.#take(file, position, new Uint8Array(0), growth);
      case "misdirected":
        return this.#take(file, this.#elsewhere(file, position, bytes.length), bytes, 0);
      case "flipped":
        if (bytes.length > 0) bytes[Math.floor(this.#chance() * bytes.length)] ^= 1 << Math.floor(this.#chance() * 8);
        break;
      case "torn":
        this.#take(file, position, bytes, growth);
        this.#powerOff("write", path);
        break;
      default:
    }
    this.#take(file, position, bytes, growth);
  }

  truncate(file: FileContent, path: string, length: number): void {
    if (length > file.length) return this.write(file, path, file.length, new Uint8Array(length - file.length));
    this.step("truncate", path, length);
    this.usedBytes -= file.length - length;
    file.truncate(length, ++this.#sequence);
  }

  /** Begins a sync; the function returned ends it. */
  beginSync(file: FileContent, path: string): () => void {
    const call: DiskCall = { kind: "sync", path, position: 0, length: 0 };
    const verdict = this.verdict(call);
    const upTo = file.newestUnsynced;
    return () => {
      if (this.crashed) throw new SimulatedCrash("the machine is off");
      if (verdict?.kind === "lost") return;
      if (verdict?.kind === "torn") this.#powerOff("sync", path);
      if (verdict?.kind !== "error") return file.sync(upTo);
      file.giveUp(this.#drawFate(this.#chance));
      if (this.#chance() < 0.3) file.evict();
      throw injected(verdict.code, call);
    };
  }

  #take(file: FileContent, position: number, bytes: Uint8Array, growth: number): void {
    if (bytes.length > 0) {
      this.usedBytes += Math.max(0, position + bytes.length - file.length);
      file.write(position, bytes, ++this.#sequence);
    } else if (growth > 0) {
      // A lost write still moved the end of the file: that is metadata.
      this.usedBytes += growth;
      file.write(file.length, new Uint8Array(growth), ++this.#sequence);
    }
  }

  /** What a failed write leaves: some of its first sectors. */
  #takePart(file: FileContent, position: number, bytes: Uint8Array, lengthMax: number): void {
    const sectors = Math.floor((this.#chance() * lengthMax) / sectorBytes);
    if (sectors > 0) this.#take(file, position, bytes.slice(0, sectors * sectorBytes), 0);
  }

  #elsewhere(file: FileContent, position: number, length: number): number {
    const sectors = Math.max(1, Math.floor(Math.max(file.length, position + length) / sectorBytes));
    const shift = sectorBytes * (1 + Math.floor(this.#chance() * sectors));
    return position >= shift ? position - shift : position + shift;
  }

  #strike(kind: DiskCallKind): DiskVerdict | undefined {
    const { fault } = this;
    if (fault === undefined || !isChange(kind)) return undefined;
    if (this.calls !== fault.call && !(fault.persistent && this.calls > fault.call)) return undefined;
    return fault.code === "CRASH" ? { kind: "crash" } : { kind: "error", code: fault.code };
  }

  #powerOff(kind: DiskCallKind, path: string): never {
    this.crashed = true;
    throw new SimulatedCrash(`power lost at call ${this.calls}, ${kind} ${path}`);
  }

  #drawFate(next: () => number): Fate {
    const kind = next();
    const unitBytes = next() < 0.7 ? sectorBytes : 8 * sectorBytes;
    const keepsLength = () => next() < 0.25;
    if (kind < 0.2) return { unitBytes, perUnit: false, cutoff: () => 0, keepsLength };
    if (kind < 0.3) return { unitBytes, perUnit: false, cutoff: () => Infinity, keepsLength };
    if (kind < 0.6) {
      // The device took writes in order until a moment that all files share; what was under way then is torn.
      let oldest = this.#sequence;
      for (const file of this.#files.values()) if (file.hasUnsynced) oldest = Math.min(oldest, file.oldestUnsynced);
      const moment = oldest + Math.floor(next() * (this.#sequence - oldest + 2));
      const cutoff = () => moment + (next() < 0.5 ? 1 : 0);
      return { unitBytes, perUnit: true, cutoff, keepsLength };
    }
    const cutoff = (first: number, last: number) => {
      const luck = next();
      if (luck < 0.35) return 0;
      return luck < 0.7 ? Infinity : first + Math.floor(next() * (last - first + 2));
    };
    return { unitBytes, perUnit: kind < 0.95, cutoff, keepsLength };
  }

  #successor(): SimulatedDisk {
    const after = new SimulatedDisk();
    for (const directory of this.#directories) after.#directories.add(directory);
    after.capacityBytes = this.capacityBytes;
    after.#sequence = this.#sequence;
    after.#chance = this.#chance;
    return after;
  }

  #get(path: string): FileContent {
    const file = this.#files.get(path);
    if (file === undefined) throw new LatheError("NOT_FOUND", `${path} does not exist`);
    return file;
  }

  /** Gives and takes names. The change waits for a sync of the first one's directory. */
  #name(change: NameChange): void {
    for (const { path, file } of change) {
      const before = this.#files.get(path);
      if (file !== undefined && file.names++ === 0) this.usedBytes += file.length;
      if (before !== undefined && --before.names === 0) this.usedBytes -= before.length;
      if (file === undefined) this.#files.delete(path);
      else this.#files.set(path, file);
    }
    const [{ path }] = change;
    const directory = path.slice(0, Math.max(1, path.lastIndexOf("/")));
    const changes = this.#changes.get(directory);
    if (changes === undefined) this.#changes.set(directory, [change]);
    else changes.push(change);
  }
}

class SimulatedFile implements DiskFile {
  readonly path: string;
  readonly #file: FileContent;
  readonly #disk: SimulatedDisk;

  constructor(path: string, file: FileContent, disk: SimulatedDisk) {
    this.path = path;
    this.#file = file;
    this.#disk = disk;
  }

  readSync(target: Uint8Array, targetOffset: number, length: number, position: number): number {
    const verdict = this.#disk.step("read", this.path, position, length);
    return this.#copy(target, targetOffset, length, position, verdict);
  }

  async read(target: Uint8Array, targetOffset: number, length: number, position: number): Promise<number> {
    const call: DiskCall = { kind: "read", path: this.path, position, length };
    const verdict = this.#disk.verdict(call);
    await this.#disk.world?.later(call);
    if (verdict?.kind === "error") throw injected(verdict.code, call);
    return this.#copy(target, targetOffset, length, position, verdict?.kind);
  }

  writeSync(source: Uint8Array, sourceOffset: number, length: number, position: number): void {
    this.#disk.write(this.#file, this.path, position, source.slice(sourceOffset, sourceOffset + length));
  }

  async sync(): Promise<void> {
    const end = this.#disk.beginSync(this.#file, this.path);
    await this.#disk.world?.later({ kind: "sync", path: this.path, position: 0, length: 0 });
    end();
  }

  syncSync(): void {
    this.#disk.beginSync(this.#file, this.path)();
  }

  allocateSync(length: number): void {
    if (length <= this.#file.length) return;
    this.#disk.write(this.#file, this.path, this.#file.length, new Uint8Array(length - this.#file.length));
  }

  truncateSync(length: number): void {
    this.#disk.truncate(this.#file, this.path, length);
  }

  sizeSync(): number {
    return this.#file.length;
  }

  close(): void {}

  #copy(
    target: Uint8Array, targetOffset: number, length: number, position: number,
    verdict: DiskVerdict["kind"] | undefined,
  ): number {
    let end = Math.min(this.#file.length, position + length);
    if (end <= position) return 0;
    if (verdict === "short") end -= 1 + Math.floor((end - position - 1) / 2);
    target.set(this.#file.bytes.subarray(position, end), targetOffset);
    if (verdict === "flipped") target[targetOffset + ((end - position) >> 1)] ^= 1 << (position & 7);
    return end - position;
  }
}

function applyChange(names: Map<string, FileContent>, change: NameChange): void {
  for (const { path, file } of change) {
    if (file === undefined) names.delete(path);
    else names.set(path, file);
  }
}

function injected(code: ErrorCode, call: DiskCall): LatheError {
  return new LatheError(code, `injected ${code}: ${call.kind} ${call.path} at ${call.position}`);
}
