/**
 * CRC-32C of long inputs by vector instructions: sixteen checksums side by side, in WebAssembly.
 *
 * A checksum is a linear map of the bits, so a message may be shortened without changing its checksum: the first row
 * of 96 bytes is replaced by what it is worth one row later, and added to that row.
 *   1. A row is six vectors of sixteen bytes. Byte j of each of the six make lane j. What a lane is worth one row later
 *      is 32 bits, as many as a checksum has, at four of its six places (`targets`), and the map from the one to the
 *      other is the same for all lanes: `worth` tells lanes apart only by what all places of a lane share.
 *   2. The map goes by half bytes: per half byte of the lane a table of sixteen entries for each of the four bytes
 *      that come out, which one swizzle looks up for sixteen lanes at once.
 *   3. What is left at the end is one row, whose checksum is that of all rows (`foldRows`); crc32c.ts takes it and
 *      what is behind the last whole row by tables.
 * The module is put together below, instruction by instruction, when it is first wanted; it has no imports. Where
 * WebAssembly or its relaxed vector instructions are missing there is none, and crc32c.ts does without.
 *
 * Memory of the module, in bytes:
 *
 *   | offset | size  | field                                                                                   |
 *   |--------|-------|-----------------------------------------------------------------------------------------|
 *   | 0      | 768   | tables: by vector (6), by half of the byte (low, high), by target (4)                   |
 *   | 768    | 96    | the row that is left                                                                    |
 *   | 1024   | 65280 | the rows to be folded                                                                   |
 *
 * Source: Gopal et al. 2009 (folding, there with carry-less multiplication, which WebAssembly lacks); the look-up of
 * half bytes by a shuffle is Plank, Greenan, Miller 2013 (Galois field arithmetic with SIMD).
 */
const vectorBytes = 16;
const vectors = 6;
export const rowBytes = vectors * vectorBytes;
/** The vectors of a row that a row is folded into. With the first four the map would have no inverse. */
const targets = [0, 1, 4, 5] as const;
const tableBytes = 16;
const halves = 2;
const rowAt = vectors * halves * targets.length * tableBytes;
const inputAt = 1024;
export const laneInputMax = 680 * rowBytes;
const pageBytes = 1 << 16;

/** What is used of it; the types that know it are those of browsers. */
declare const WebAssembly: {
  validate(code: Uint8Array): boolean;
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

interface LaneExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  fold(end: number, register: number): void;
}

export interface CrcLanes {
  /** Where the input goes, up to `laneInputMax` bytes of it. */
  readonly input: Uint8Array;
  /** The row that `foldRows` leaves. */
  readonly row: DataView;
  /**
   * Leaves a row whose checksum, begun with 0, is that of the first `end` bytes of the input, begun with `register`.
   * `end` is a multiple of `rowBytes` and not 0. (Registers are not inverted here.)
   */
  foldRows(end: number, register: number): void;
}

/** `byteTable`: what a byte leaves in an empty register. Undefined where this machine cannot do it. */
export function makeCrcLanes(byteTable: Int32Array): CrcLanes | undefined {
  try {
    const code = moduleCode();
    if (!WebAssembly.validate(code)) return undefined;
    const { memory, fold } = new WebAssembly.Instance(new WebAssembly.Module(code)).exports as LaneExports;
    writeTables(new Uint8Array(memory.buffer, 0, rowAt), byteTable);
    return {
      input: new Uint8Array(memory.buffer, inputAt, laneInputMax),
      row: new DataView(memory.buffer, rowAt, rowBytes),
      foldRows: (end, register) => fold(inputAt + end, register),
    };
  } catch {
    // No WebAssembly (a flag of V8's), or no address space for its memory.
    return undefined;
  }
}

/** Where the table of a half byte of a vector is that gives the bytes of a target. */
function tableAt(vector: number, half: number, target: number): number {
  return ((vector * halves + half) * targets.length + target) * tableBytes;
}

function writeTables(tables: Uint8Array, byteTable: Int32Array): void {
  const pass = (register: number, zeros: number): number => {
    let passed = register;
    for (let i = 0; i < zeros; i++) passed = (passed >>> 8) ^ byteTable[passed & 0xff];
    return passed;
  };
  // What one byte of a lane leaves in the register at the end of its row, up to the lane's place, which all share.
  const worth = (vector: number, byte: number): number => pass(byteTable[byte], rowBytes - vectorBytes * (vector + 1));
  const bits = Array.from({ length: 32 }, (_, bit) => worth(targets[bit >>> 3], 1 << (bit & 7)));
  const laneOf = inverse(bits);
  for (let vector = 0; vector < vectors; vector++) {
    // The map is linear: what a byte is worth is the sum of what its bits are.
    const lanes = Array.from({ length: 8 }, (_, bit) => laneOf(pass(worth(vector, 1 << bit), rowBytes)));
    for (let half = 0; half < halves; half++) {
      for (let value = 0; value < tableBytes; value++) {
        let lane = 0;
        for (let bit = 0; bit < 4; bit++) if ((value >>> bit) & 1) lane ^= lanes[4 * half + bit];
        for (let target = 0; target < targets.length; target++) {
          tables[tableAt(vector, half, target) + value] = lane >>> (8 * target);
        }
      }
    }
  }
}

/** The map that tells which of the `images` add up to a number. They are linearly independent, or it throws. */
function inverse(images: readonly number[]): (sum: number) => number {
  // Rows of an elimination: `image` is the sum of the images that `members` names, and alone has its highest bit.
  const basis: { image: number; members: number; highest: number }[] = [];
  /** Returns the members; what is left of the image is in `rest`. */
  let rest = 0;
  const reduce = (image: number, members: number) => {
    rest = image;
    let named = members;
    for (const row of basis) {
      if ((rest & row.highest) === 0) continue;
      rest ^= row.image;
      named ^= row.members;
    }
    return named;
  };
  images.forEach((image, i) => {
    const members = reduce(image, 1 << i);
    if (rest === 0) throw new RangeError("the places of a lane do not tell all checksums apart");
    basis.push({ image: rest, members, highest: 0x80000000 >>> Math.clz32(rest) });
  });
  return (sum) => reduce(sum, 0);
}

/* What follows writes the module; numbers are those of the WebAssembly specification 2.0 and relaxed SIMD. */
const i32 = 0x7f;
const v128 = 0x7b;
const op = {
  block: 0x02, loop: 0x03, end: 0x0b, br: 0x0c, brIf: 0x0d, localGet: 0x20, localSet: 0x21, i32Load: 0x28,
  i32Store: 0x36, i32Const: 0x41, i32GreaterEqualUnsigned: 0x4f, i32Add: 0x6a, i32Xor: 0x73, noType: 0x40,
} as const;
/** Vector instructions stand behind the prefix 0xfd. */
const vectorOp = {
  load: 0x00, store: 0x0b, constant: 0x0c, and: 0x4e, xor: 0x51, shiftRight16: 0x8d, relaxedSwizzle: 0x100,
} as const;
/** Locals: the two parameters, the row that the walk is at; then vectors: a row's targets, the same folded, others. */
const local = { end: 0, register: 1, at: 2, row: 3, folded: 7, low: 11, high: 12, mask: 13 } as const;

function moduleCode(): Uint8Array<ArrayBuffer> {
  const body = [
    // Locals beside the parameters: one i32, then eleven vectors.
    2, 1, i32, 11, v128,
    ...foldBody(),
    op.end,
  ];
  const pages = Math.ceil((inputAt + laneInputMax) / pageBytes);
  const sections: readonly (readonly [number, readonly number[]])[] = [
    [1, [1, 0x60, 2, i32, i32, 0]],
    [3, [1, 0]],
    [5, [1, 1, pages, pages]],
    [7, [2, ...named("memory"), 2, 0, ...named("fold"), 0, 0]],
    [10, [1, ...unsigned(body.length), ...body]],
  ];
  const code = sections.flatMap(([id, bytes]) => [id, ...unsigned(bytes.length), ...bytes]);
  return Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...code]);
}

function foldBody(): number[] {
  const code: number[] = [];
  const put = (...bytes: readonly number[]) => code.push(...bytes);
  const vector = (operation: number, ...bytes: readonly number[]) => put(0xfd, ...unsigned(operation), ...bytes);
  const get = (index: number) => put(op.localGet, index);
  const set = (index: number) => put(op.localSet, index);
  /** Loads or stores at the address on the stack plus `offset`. */
  const at = (operation: number, offset: number) => vector(operation, 4, ...unsigned(offset));
  const constant = (value: number) => put(op.i32Const, ...signed(value));
  const getVector = (number: number) => {
    const target = (targets as readonly number[]).indexOf(number);
    if (target >= 0) return get(local.row + target);
    get(local.at);
    at(vectorOp.load, number * vectorBytes);
  };

  vector(vectorOp.constant, ...Array.from({ length: vectorBytes }, () => 0x0f));
  set(local.mask);
  // A register to begin with is the same as its bytes added to the first four of the input.
  constant(inputAt);
  constant(inputAt);
  put(op.i32Load, 2, 0);
  get(local.register);
  put(op.i32Xor, op.i32Store, 2, 0);
  constant(inputAt);
  set(local.at);
  put(op.block, op.noType, op.loop, op.noType);
  targets.forEach((number, target) => {
    get(local.at);
    at(vectorOp.load, number * vectorBytes);
    get(local.folded + target);
    vector(vectorOp.xor);
    set(local.row + target);
  });
  // The last row stays as it is.
  get(local.at);
  constant(rowBytes);
  put(op.i32Add);
  get(local.end);
  put(op.i32GreaterEqualUnsigned, op.brIf, 1);
  for (let number = 0; number < vectors; number++) {
    getVector(number);
    get(local.mask);
    vector(vectorOp.and);
    set(local.low);
    getVector(number);
    constant(4);
    vector(vectorOp.shiftRight16);
    get(local.mask);
    vector(vectorOp.and);
    set(local.high);
    for (let target = 0; target < targets.length; target++) {
      for (let half = 0; half < halves; half++) {
        constant(0);
        at(vectorOp.load, tableAt(number, half, target));
        get(half === 0 ? local.low : local.high);
        vector(vectorOp.relaxedSwizzle);
      }
      vector(vectorOp.xor);
      if (number > 0) {
        get(local.folded + target);
        vector(vectorOp.xor);
      }
      set(local.folded + target);
    }
  }
  get(local.at);
  constant(rowBytes);
  put(op.i32Add);
  set(local.at);
  put(op.br, 0, op.end, op.end);
  for (let number = 0; number < vectors; number++) {
    constant(0);
    getVector(number);
    at(vectorOp.store, rowAt + number * vectorBytes);
  }
  return code;
}

function named(name: string): number[] {
  return [name.length, ...Buffer.from(name, "latin1")];
}

function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

/** Of a number that is not negative. */
function signed(value: number): number[] {
  return value < 64 ? [value] : [(value & 127) | 128, ...signed(value >>> 7)];
}
