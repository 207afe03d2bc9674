/**
 * Changes of keys as bytes: what the log holds of a write.
 *
 * | field        | bytes                                                                                   |
 * |--------------|-----------------------------------------------------------------------------------------|
 * | kind         | 1, value 75: no command of another part begins so                                       |
 * | format       | 1, value 1                                                                              |
 * | conditional  | 1: whether any change has a condition                                                   |
 * | changes      | per change, to the end:                                                                 |
 * |   flags      | 1: bit 0 put (else delete), 1 with ttl, 2 if absent, 3 if present, 4 if one of versions |
 * |   key        | varint length, bytes                                                                    |
 * |   versions   | with bit 4: varint count, then 8 bytes each, little-endian                              |
 * |   ttl        | with bit 1: varint, milliseconds                                                        |
 * |   value      | with bit 0: varint length, bytes                                                        |
 *
 * Invariant: a reader never goes beyond the bytes, whatever lengths they announce.
 * Source: LevelDB's WriteBatch for changes one after another; etcd's Txn for conditions before changes.
 */
import { readBigU64LE, writeBigU64LE, writeVarint } from "../../../../../kit/bytes.ts";
import { LatheError } from "../../../../../kit/errors.ts";
import type { Demand } from "../../../../storage/engine.ts";
import type { KeyValueChange, WriteCondition } from "../../key-value-store.ts";

export const changesKind = 75;
const format = 1;

export const flagPut = 1;
const flagTtl = 2;
export const flagAbsent = 4;
export const flagPresent = 8;
export const flagVersions = 16;
const flagsKnown = 31;

const versionsMax = 64;
const varintBytes = 8;
const slabBytesMin = 64 * 1024;
const roomBytes = 1024;
const shortTextMax = 128;

/** Changes being written: slabs of which each command gets its own part, never written again. */
export class ChangeWriter {
  readonly #bytesMax: number;
  #bytes = Buffer.allocUnsafeSlow(slabBytesMin);
  #start = 0;
  #at = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  begin(): void {
    if (this.#bytes.length - this.#start < roomBytes) {
      this.#bytes = Buffer.allocUnsafeSlow(slabBytesMin);
      this.#start = 0;
    }
    this.#at = this.#start;
    this.#bytes[this.#at++] = changesKind;
    this.#bytes[this.#at++] = format;
    this.#bytes[this.#at++] = 0;
  }

  /** Errors: LIMIT_EXCEEDED, INVALID_ARGUMENT. */
  add(change: KeyValueChange, keyBytesMax: number, valueBytesMax: number): void {
    const { key, value, ttlMs, condition } = change;
    this.#reserve(1);
    this.#bytes[this.#at++] = flagsOf(change);
    if (condition !== undefined) this.#bytes[this.#start + 2] = 1;
    this.#data(key, keyBytesMax, "key");
    if (typeof condition === "object") this.#versions(condition);
    if (ttlMs !== undefined) {
      if (!Number.isSafeInteger(ttlMs) || ttlMs <= 0) {
        throw new LatheError("INVALID_ARGUMENT", `a ttl of ${ttlMs} ms; it must be a whole number above 0`);
      }
      this.#varint(ttlMs);
    }
    if (value !== undefined) this.#data(value, valueBytesMax, "value");
  }

  finish(): Uint8Array {
    const command = this.#bytes.subarray(this.#start, this.#at);
    this.#start = this.#at;
    return command;
  }

  #versions(versions: readonly bigint[]): void {
    if (versions.length > versionsMax) {
      throw new LatheError("LIMIT_EXCEEDED", `a condition lists ${versions.length} versions, more than ${versionsMax}`);
    }
    this.#varint(versions.length);
    this.#reserve(8 * versions.length);
    for (const version of versions) this.#at = writeBigU64LE(this.#bytes, this.#at, BigInt.asUintN(64, version));
  }

  #varint(value: number): void {
    this.#reserve(varintBytes);
    this.#at = writeVarint(this.#bytes, this.#at, value);
  }

  /** Length and bytes. Text of ASCII, which most is, goes in without an encoded copy. */
  #data(data: Uint8Array | string, bytesMax: number, what: string): void {
    // No text has more characters than bytes, so this spares measuring what is too long anyway.
    if (data.length > bytesMax) throw tooLong(what, data.length, bytesMax);
    if (typeof data === "string" && data.length <= shortTextMax && this.#shortText(data)) {
      return this.#checkKey(data, what);
    }
    if (typeof data === "string") {
      const length = Buffer.byteLength(data, "utf8");
      if (length > bytesMax) throw tooLong(what, length, bytesMax);
      this.#varint(length);
      this.#reserve(length);
      this.#at += this.#bytes.write(data, this.#at, "utf8");
    } else {
      this.#varint(data.length);
      this.#reserve(data.length);
      this.#bytes.set(data, this.#at);
      this.#at += data.length;
    }
    this.#checkKey(data, what);
  }

  /** Short ASCII, which most texts are, letter by letter: a call into the platform costs more. False: it is none. */
  #shortText(text: string): boolean {
    const { length } = text;
    this.#reserve(2 + length);
    const start = this.#at + (length < 0x80 ? 1 : 2);
    let seen = 0;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      seen |= code;
      this.#bytes[start + i] = code;
    }
    if (seen >= 0x80) return false;
    writeVarint(this.#bytes, this.#at, length);
    this.#at = start + length;
    return true;
  }

  #checkKey(data: Uint8Array | string, what: string): void {
    if (what === "key" && data.length === 0) throw new LatheError("INVALID_ARGUMENT", "a key must not be empty");
  }

  #reserve(length: number): void {
    const used = this.#at - this.#start;
    if (used + length > this.#bytesMax) {
      throw new LatheError("LIMIT_EXCEEDED", `a write of more than ${this.#bytesMax} bytes; send it in smaller ones`);
    }
    if (this.#at + length <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(slabBytesMin, 2 * (used + length)));
    this.#bytes.copy(grown, 0, this.#start, this.#at);
    this.#bytes = grown;
    this.#start = 0;
    this.#at = used;
  }
}

function flagsOf({ value, ttlMs, condition }: KeyValueChange): number {
  const expiring = value !== undefined && ttlMs !== undefined;
  return (value === undefined ? 0 : flagPut) | (expiring ? flagTtl : 0) | conditionFlag(condition);
}

function conditionFlag(condition: WriteCondition | undefined): number {
  if (condition === undefined) return 0;
  if (condition === "absent") return flagAbsent;
  return condition === "present" ? flagPresent : flagVersions;
}

function tooLong(what: string, bytes: number, bytesMax: number): LatheError {
  const message = `a ${what} of ${bytes} bytes is longer than ${bytesMax}`;
  return new LatheError("LIMIT_EXCEEDED", message, { details: { what, bytesMax } });
}

/** Walks the changes of a command. Fields are those of the change at hand; key and value are views. */
export class ChangeReader {
  flags = 0;
  key: Uint8Array;
  value: Uint8Array | undefined;
  ttlMs: number | undefined;
  readonly versions: bigint[] = [];
  readonly #bytes: Uint8Array;
  #at = 3;

  /** Errors: FORMAT_UNKNOWN. */
  constructor(command: Uint8Array) {
    if (command[0] !== changesKind || command[1] !== format) {
      const message = `changes of format ${command[1]}; this product reads ${format}`;
      throw new LatheError("FORMAT_UNKNOWN", `${message}: open them with the one that wrote them`);
    }
    this.#bytes = command;
    this.key = command.subarray(0, 0);
  }

  get isConditional(): boolean {
    return this.#bytes[2] !== 0;
  }

  /** Goes on to the next change; false where there is none. Errors: CORRUPTION. */
  next(): boolean {
    if (this.#at >= this.#bytes.length) return false;
    const flags = this.#bytes[this.#at++];
    if (flags > flagsKnown) throw damaged(`unknown flags ${flags}`);
    this.flags = flags;
    this.key = this.#data();
    this.versions.length = 0;
    if ((flags & flagVersions) !== 0) this.#readVersions();
    this.ttlMs = (flags & flagTtl) === 0 ? undefined : this.#varint();
    this.value = (flags & flagPut) === 0 ? undefined : this.#data();
    return true;
  }

  #readVersions(): void {
    const count = this.#varint();
    if (count > versionsMax || this.#at + 8 * count > this.#bytes.length) throw damaged("a list of versions too long");
    for (let i = 0; i < count; i++) {
      this.versions.push(BigInt.asIntN(64, readBigU64LE(this.#bytes, this.#at)));
      this.#at += 8;
    }
  }

  #data(): Uint8Array {
    const length = this.#varint();
    if (length > this.#bytes.length - this.#at) throw damaged("a length beyond its end");
    const start = this.#at;
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < varintBytes; i++) {
      if (this.#at >= this.#bytes.length) break;
      const byte = this.#bytes[this.#at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw damaged("a number without an end");
  }
}

/** What a row takes beside its key and value: table, version, expiry, lengths; keys have 00 in two bytes. */
const rowBytes = 64;

/** What changes demand at most, whatever is there. Errors: CORRUPTION, FORMAT_UNKNOWN. */
export function changesDemand(command: Uint8Array): Demand {
  const demand = { puts: 0, entries: 0, bytes: 0 };
  for (const reader = new ChangeReader(command); reader.next(); ) {
    if (reader.value !== undefined) demand.puts++;
    demand.entries++;
    demand.bytes += rowBytes + 2 * reader.key.length + (reader.value?.length ?? 0);
  }
  return demand;
}

function damaged(what: string): LatheError {
  return new LatheError("CORRUPTION", `a command of changes has ${what}`);
}
