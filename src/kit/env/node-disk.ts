/**
 * The real disk. Positional reads and writes on file descriptors; calls that may wait go to libuv's
 * thread pool.
 *
 * `sync` is fdatasync(2): it flushes the data and the metadata needed to read them back, and nothing
 * else. A file whose blocks were allocated and written before needs no metadata, which is why logs
 * preallocate and recycle.
 */
import * as fs from "node:fs";
import { assert } from "../assert.ts";
import { LatheError } from "../errors.ts";
import type { Disk, DiskFile, DiskLock } from "./env.ts";
import { lockDirectory } from "./node-directory-lock.ts";
import { translateSystemError } from "./system-error.ts";

const { O_CREAT, O_EXCL, O_RDONLY, O_RDWR } = fs.constants;
const openFlags = { read: O_RDONLY, write: O_RDWR, create: O_RDWR | O_CREAT | O_EXCL } as const;
const fileMode = 0o640;
const zeros = new Uint8Array(1 << 20);

class NodeDiskFile implements DiskFile {
  readonly path: string;
  #descriptor: number;

  constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  readSync(target: Uint8Array, targetOffset: number, length: number, position: number): number {
    let done = 0;
    try {
      while (done < length) {
        const count = fs.readSync(this.#open(), target, targetOffset + done, length - done, position + done);
        if (count === 0) break;
        done += count;
      }
    } catch (error) {
      throw translateSystemError(error, "read", this.path);
    }
    return done;
  }

  read(target: Uint8Array, targetOffset: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      let done = 0;
      const step = () => {
        if (done === length) return resolve(done);
        fs.read(this.#open(), target, targetOffset + done, length - done, position + done, (error, count) => {
          if (error !== null) return reject(translateSystemError(error, "read", this.path));
          if (count === 0) return resolve(done);
          done += count;
          step();
        });
      };
      step();
    });
  }

  writeSync(source: Uint8Array, sourceOffset: number, length: number, position: number): void {
    let done = 0;
    try {
      while (done < length) {
        const count = fs.writeSync(this.#open(), source, sourceOffset + done, length - done, position + done);
        // The next attempt tells why the system took nothing; a second zero would loop for ever.
        if (count === 0) throw new LatheError("IO_ERROR", `cannot write ${this.path}: the system took no bytes`);
        done += count;
      }
    } catch (error) {
      throw translateSystemError(error, "write", this.path);
    }
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#open(), (error) => {
        if (error) reject(translateSystemError(error, "sync", this.path));
        else resolve();
      });
    });
  }

  syncSync(): void {
    try {
      fs.fdatasyncSync(this.#open());
    } catch (error) {
      throw translateSystemError(error, "sync", this.path);
    }
  }

  /**
   * Writes zeros behind what is there, and flushes data and metadata. posix_fallocate would be quicker,
   * but Node does not offer it, and extents that were never written still need a metadata update at the
   * first sync after a write.
   */
  allocateSync(length: number): void {
    const before = this.sizeSync();
    try {
      for (let position = before; position < length; position += zeros.length) {
        this.writeSync(zeros, 0, Math.min(zeros.length, length - position), position);
      }
      fs.fsyncSync(this.#open());
    } catch (error) {
      // Give the space back: a half allocated file on a full disk helps nobody.
      if (length > before) fs.ftruncateSync(this.#open(), before);
      throw translateSystemError(error, "allocate", this.path);
    }
  }

  truncateSync(length: number): void {
    try {
      fs.ftruncateSync(this.#open(), length);
    } catch (error) {
      throw translateSystemError(error, "truncate", this.path);
    }
  }

  sizeSync(): number {
    try {
      return fs.fstatSync(this.#open()).size;
    } catch (error) {
      throw translateSystemError(error, "inspect", this.path);
    }
  }

  close(): void {
    const descriptor = this.#open();
    this.#descriptor = -1;
    try {
      fs.closeSync(descriptor);
    } catch (error) {
      throw translateSystemError(error, "close", this.path);
    }
  }

  /**
   * A closed descriptor's number may belong to another file by now, so use after close must never
   * reach the system.
   */
  #open(): number {
    assert(this.#descriptor !== -1, `${this.path} is used after it was closed`);
    return this.#descriptor;
  }
}

class NodeDisk implements Disk {
  open(path: string, mode: "read" | "write" | "create"): DiskFile {
    return translated(mode === "create" ? "create" : "open", path, () => {
      return new NodeDiskFile(path, fs.openSync(path, openFlags[mode], fileMode));
    });
  }

  makeDirectory(path: string): void {
    translated("create directory", path, () => fs.mkdirSync(path, { recursive: true }));
  }

  list(path: string): string[] {
    return translated("list", path, () => fs.readdirSync(path).sort());
  }

  exists(path: string): boolean {
    return fs.existsSync(path);
  }

  size(path: string): number {
    return translated("inspect", path, () => fs.statSync(path).size);
  }

  rename(source: string, target: string): void {
    translated("rename", source, () => fs.renameSync(source, target));
  }

  unlink(path: string): void {
    translated("remove", path, () => fs.unlinkSync(path));
  }

  link(source: string, target: string): void {
    translated("link", target, () => {
      try {
        fs.linkSync(source, target);
      } catch (error) {
        if (!noLinks.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
        copyDurably(source, target);
      }
    });
  }

  syncDirectory(path: string): void {
    translated("sync directory", path, () => {
      const descriptor = fs.openSync(path, O_RDONLY);
      try {
        fs.fsyncSync(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
    });
  }

  freeBytes(path: string): number {
    return translated("inspect the file system of", path, () => {
      const { bavail, bsize } = fs.statfsSync(path);
      return bavail * bsize;
    });
  }

  lock(directory: string): DiskLock {
    return lockDirectory(directory);
  }
}

/**
 * What link(2) says across devices, on file systems without links, and beyond the most links a file
 * may have.
 */
const noLinks = new Set(["EXDEV", "EPERM", "ENOTSUP", "ENOSYS", "EMLINK"]);

/** The copy gets its name only when it is whole and on the device, as a link would. */
function copyDurably(source: string, target: string): void {
  const temporary = `${target}.copy`;
  fs.copyFileSync(source, temporary, fs.constants.COPYFILE_FICLONE);
  const descriptor = fs.openSync(temporary, O_RDWR);
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  if (fs.existsSync(target)) {
    fs.unlinkSync(temporary);
    throw new LatheError("ALREADY_EXISTS", `cannot link ${target}: it exists already`);
  }
  fs.renameSync(temporary, target);
}

function translated<Result>(action: string, subject: string, operation: () => Result): Result {
  try {
    return operation();
  } catch (error) {
    throw translateSystemError(error, action, subject);
  }
}

export const nodeDisk: Disk = new NodeDisk();
