/**
 * The data set of the side-by-side bench: the same keys and values, in the same order, for every engine.
 * Keys are db_bench's: numbers of 16 decimal digits. Values are 128 incompressible bytes that begin with the number.
 */
export const keyBytes = 16;
export const valueBytes = 128;

export function randomFrom(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** The numbers 0 … count - 1 in an order that looks random. */
export function shuffled(count: number, seed: number): Uint32Array {
  const random = randomFrom(seed);
  const ids = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor((random() / 4294967296) * (i + 1));
    [ids[i], ids[j]] = [ids[j], ids[i]];
  }
  return ids;
}

export function keyOf(id: number): Buffer {
  return Buffer.from(String(id).padStart(keyBytes, "0"), "latin1");
}

const noise = Buffer.alloc(1 << 20);
const noiseOf = randomFrom(99);
for (let at = 0; at < noise.length; at += 4) noise.writeUInt32LE(noiseOf(), at);

/** A fresh value; `generation` tells an overwrite from what was there. */
export function valueOf(id: number, generation: number): Buffer {
  const at = (Math.imul(id + 1, 2654435761) >>> 8) % (noise.length - valueBytes);
  const value = Buffer.allocUnsafe(valueBytes);
  noise.copy(value, 0, at, at + valueBytes);
  value.writeUInt32LE(id, 0);
  value.writeUInt32LE(generation, 4);
  return value;
}
