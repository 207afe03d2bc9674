/**
 * The first 32 bytes of every file that a product writes: what it is, in which version, and of which
 * formats.
 *
 * | offset | bytes | field |
 * |-------:|------:|-------|
 * |      0 |     8 | magic: ASCII, names the kind of file (`LATHEWAL`) |
 * |      8 |     4 | format version, little-endian |
 * |     12 |    16 | selection hash: the first 16 bytes of the SHA-256 of what decides the formats |
 * |     28 |     4 | CRC-32C of bytes 0 to 27 |
 *
 * What decides the formats is the selection of parts whose bytes are on disk (the product's `formatHash`), and not all
 * that was selected. A foreign magic, an unknown version and another such selection are FORMAT_UNKNOWN, with the way
 * out in the message; a known magic with a wrong checksum is CORRUPTION. A whole header of another kind with another
 * hash is told by its hash: another engine has written under the same name. Source: PNG's signature, SQLite's header
 * string, RocksDB's table footers.
 */
import { assert } from "./assert.ts";
import { readU32LE, writeU32LE } from "./bytes.ts";
import { crc32c } from "./crc32c.ts";
import { errorCodeOf, LatheError } from "./errors.ts";

export const fileHeaderBytes = 32;

/** For files that belong to no product: tests, and parts used on their own. */
export const noSelectionHash = "0".repeat(32);

const magicBytes = 8;
const versionOffset = 8;
const selectionOffset = 12;
const selectionBytes = 16;
const checksumOffset = 28;

export interface FileHeader {
  /** Eight ASCII characters. */
  readonly magic: string;
  readonly version: number;
  /** At least 32 lower-case hex digits; only the first 32 are kept. */
  readonly selectionHash: string;
}

export interface ExpectedHeader {
  readonly magic: string;
  /** Versions that the caller can read. */
  readonly versions: readonly number[];
  readonly selectionHash: string;
}

export function encodeFileHeader({ magic, version, selectionHash }: FileHeader): Uint8Array {
  assert(/^[\x21-\x7e]{8}$/.test(magic), `magic ${magic} is eight printable ASCII characters`);
  assert(Number.isInteger(version) && version > 0 && version < 2 ** 32, `version ${version} is a positive integer`);
  assert(/^[0-9a-f]{32,}$/.test(selectionHash), "a selection hash is at least 32 hex digits");
  const bytes = new Uint8Array(fileHeaderBytes);
  for (let index = 0; index < magicBytes; index++) bytes[index] = magic.charCodeAt(index);
  writeU32LE(bytes, versionOffset, version);
  for (let index = 0; index < selectionBytes; index++) {
    bytes[selectionOffset + index] = Number.parseInt(selectionHash.slice(2 * index, 2 * index + 2), 16);
  }
  writeU32LE(bytes, checksumOffset, crc32c(bytes, 0, checksumOffset));
  return bytes;
}

/**
 * Checks the first bytes of the file `path`; returns its version.
 * Errors: FORMAT_UNKNOWN, CORRUPTION.
 */
export function checkFileHeader(bytes: Uint8Array, expected: ExpectedHeader, path: string): number {
  if (bytes.length < fileHeaderBytes) {
    throw new LatheError("CORRUPTION", `${path} has ${bytes.length} bytes, less than a header; restore it from a copy`);
  }
  const header = decodeFields(bytes);
  const whole = readU32LE(bytes, checksumOffset) === crc32c(bytes, 0, checksumOffset);
  if (header.magic !== expected.magic) {
    if (whole) checkSelection(header, expected, path);
    const found = JSON.stringify(header.magic);
    throw new LatheError(
      "FORMAT_UNKNOWN",
      `${path} begins with ${found} instead of "${expected.magic}": its header is damaged, or it is no file of this ` +
        "kind; restore it from a copy, and move it away only where it was put there by mistake",
      { details: { path, found: header.magic, expected: expected.magic } },
    );
  }
  if (!whole) {
    throw new LatheError("CORRUPTION", `the header of ${path} is damaged; restore the file from a copy`, {
      details: { path },
    });
  }
  checkOrigin(header, expected, path);
  return header.version;
}

/**
 * What the first bytes of a file say about it, or undefined where they are no whole, undamaged header. For tools that
 * look at files of any product and any version.
 */
export function peekFileHeader(bytes: Uint8Array): FileHeader | undefined {
  if (bytes.length < fileHeaderBytes) return undefined;
  if (readU32LE(bytes, checksumOffset) !== crc32c(bytes, 0, checksumOffset)) return undefined;
  return decodeFields(bytes);
}

/**
 * Whether an error says that bytes are damaged: CORRUPTION, or other bytes where the magic stood. A header that holds
 * and names another version or selection is no damage.
 */
export function isDamage(error: unknown): boolean {
  const code = errorCodeOf(error);
  if (code !== "FORMAT_UNKNOWN") return code === "CORRUPTION";
  const { found } = (error as LatheError).details;
  return typeof found === "string" && found.length === magicBytes;
}

function checkOrigin(header: FileHeader, expected: ExpectedHeader, path: string): void {
  if (!expected.versions.includes(header.version)) {
    throw new LatheError(
      "FORMAT_UNKNOWN",
      `${path} has format version ${header.version}; this product reads ${expected.versions.join(", ")}: ` +
        "open it with the product that wrote it, dump it there and load the dump here",
      { details: { path, found: header.version, expected: expected.versions } },
    );
  }
  checkSelection(header, expected, path);
}

function checkSelection(header: FileHeader, expected: ExpectedHeader, path: string): void {
  if (header.selectionHash !== expected.selectionHash.slice(0, 2 * selectionBytes)) {
    throw new LatheError(
      "FORMAT_UNKNOWN",
      `${path} was written by a product with another selection of the parts that decide the formats on disk, as ` +
        `engine, log and layout (format hash ${header.selectionHash}): open it with that product, dump it there ` +
        "(lathe export) and load the dump here (lathe import)",
      { details: { path, found: header.selectionHash, expected: expected.selectionHash } },
    );
  }
}

function decodeFields(bytes: Uint8Array): FileHeader {
  const selection = bytes.subarray(selectionOffset, selectionOffset + selectionBytes);
  return {
    magic: String.fromCharCode(...bytes.subarray(0, magicBytes)),
    version: readU32LE(bytes, versionOffset),
    selectionHash: Array.from(selection, (byte) => byte.toString(16).padStart(2, "0")).join(""),
  };
}
