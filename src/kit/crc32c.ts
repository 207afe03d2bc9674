/**
 * CRC-32C (Castagnoli), the checksum of everything that Lathe writes to disk.
 *
 * Algorithm: slicing-by-16. Table k holds the checksum of a byte followed by k zero bytes, so sixteen
 * bytes are folded in with sixteen independent look-ups instead of as many dependent ones. Inputs of some
 * hundred bytes are read by words through a DataView, which takes a third off; for short ones it is not worth
 * making. Long ones are first folded to one row of 96 bytes by vector instructions (crc32c-lanes.ts), where
 * there are any. Check value:
 * crc32c("123456789") = 0xE3069283 (RFC 3720, appendix B.4, has more). Source: Kounavis and Berry 2005;
 * the same polynomial as in LevelDB, RocksDB, etcd, iSCSI and ext4. `zlib.crc32` is the older CRC-32
 * (IEEE), which detects fewer errors at the sizes of our blocks.
 */
import { type CrcLanes, laneInputMax, makeCrcLanes, rowBytes } from "./crc32c-lanes.ts";

const polynomialReversed = 0x82f63b78;
const slices = 16;
/** Typed arrays of up to 64 bytes have no buffer of their own until somebody asks for it, which is slow. */
const viewedBytesMin = 128;
/** Below this a copy into the lanes' memory and the row that they leave cost more than they save. */
const laneBytesMin = 512;

function makeTables(): Int32Array {
  const tables = new Int32Array(slices * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? polynomialReversed : 0);
    tables[byte] = crc;
  }
  for (let index = 256; index < tables.length; index++) {
    const previous = tables[index - 256];
    tables[index] = (previous >>> 8) ^ tables[previous & 0xff];
  }
  return tables;
}

const tables = makeTables();
/** Made when a long input comes; null: not yet. */
let lanes: CrcLanes | undefined | null = null;

/**
 * The checksum of `bytes[start, end)`, in [0, 2^32). Pass the checksum of what came before as `initial`
 * to go on with it: `crc32c(b, 0, n, crc32c(a))` is the checksum of a followed by b.
 */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length, initial = 0): number {
  let crc = ~initial;
  let position = start;
  if (end - position >= laneBytesMin && lanes === null) lanes = makeCrcLanes(tables.subarray(0, 256));
  while (end - position >= laneBytesMin && lanes) {
    const length = Math.min(laneInputMax, end - position - ((end - position) % rowBytes));
    crc = foldLanes(lanes, bytes, position, length, crc);
    position += length;
  }
  if (end - position >= viewedBytesMin) {
    const viewed = (end - position) & ~15;
    const at = bytes.byteOffset + position;
    crc = foldWords(viewOf(bytes.buffer), at, at + viewed, crc);
    position += viewed;
  }
  for (const whole = end - 7; position < whole; position += 8) {
    const low =
      crc ^
      (bytes[position] | (bytes[position + 1] << 8) | (bytes[position + 2] << 16) | (bytes[position + 3] << 24));
    crc =
      tables[1792 + (low & 0xff)] ^
      tables[1536 + ((low >>> 8) & 0xff)] ^
      tables[1280 + ((low >>> 16) & 0xff)] ^
      tables[1024 + (low >>> 24)] ^
      tables[768 + bytes[position + 4]] ^
      tables[512 + bytes[position + 5]] ^
      tables[256 + bytes[position + 6]] ^
      tables[bytes[position + 7]];
  }
  for (; position < end; position++) crc = (crc >>> 8) ^ tables[(crc ^ bytes[position]) & 0xff];
  return ~crc >>> 0;
}

/** The last view is kept: blocks and records lie many in one buffer, and a view costs as much as some hundred bytes. */
let lastView: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0));

function viewOf(buffer: ArrayBufferLike): DataView {
  if (lastView.buffer !== buffer) lastView = new DataView(buffer);
  return lastView;
}

/** Folds `length` bytes, a multiple of `rowBytes`, into the register. */
function foldLanes(
  { input, row, foldRows }: CrcLanes,
  bytes: Uint8Array,
  start: number,
  length: number,
  register: number,
): number {
  // To take more than is needed costs less than to make a view of what is.
  const takesAll = start === 0 && bytes.length < 2 * length && bytes.length <= laneInputMax;
  input.set(takesAll ? bytes : bytes.subarray(start, start + length));
  foldRows(length, register);
  return foldWords(row, 0, rowBytes, 0);
}

/** Folds whole sixteens of bytes into the register. */
function foldWords(view: DataView, start: number, end: number, register: number): number {
  let crc = register;
  for (let position = start; position < end; position += 16) {
    const a = crc ^ view.getInt32(position, true);
    const b = view.getInt32(position + 4, true);
    const c = view.getInt32(position + 8, true);
    const d = view.getInt32(position + 12, true);
    crc =
      tables[3840 + (a & 0xff)] ^
      tables[3584 + ((a >>> 8) & 0xff)] ^
      tables[3328 + ((a >>> 16) & 0xff)] ^
      tables[3072 + (a >>> 24)] ^
      tables[2816 + (b & 0xff)] ^
      tables[2560 + ((b >>> 8) & 0xff)] ^
      tables[2304 + ((b >>> 16) & 0xff)] ^
      tables[2048 + (b >>> 24)] ^
      tables[1792 + (c & 0xff)] ^
      tables[1536 + ((c >>> 8) & 0xff)] ^
      tables[1280 + ((c >>> 16) & 0xff)] ^
      tables[1024 + (c >>> 24)] ^
      tables[768 + (d & 0xff)] ^
      tables[512 + ((d >>> 8) & 0xff)] ^
      tables[256 + ((d >>> 16) & 0xff)] ^
      tables[d >>> 24];
  }
  return crc;
}
