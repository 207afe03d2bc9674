/**
 * DistinctCount: how many different values there were, in 2 KiB, whatever their number.
 *
 * Exact up to 1,000 values; beyond, HyperLogLog with 2048 registers: the standard error is 1.04/√2048 = 2.3 %.
 * Source: Flajolet and others, HyperLogLog (2007), with linear counting for small numbers.
 */
const exactMax = 1000;
const registerBits = 11;
const registerCount = 1 << registerBits;

export class DistinctCount {
  static readonly standardError = 1.04 / Math.sqrt(registerCount);
  #exact: Set<number> | undefined = new Set();
  #registers: Uint8Array | undefined;

  add(hash: number): void {
    if (this.#exact !== undefined) {
      this.#exact.add(hash);
      if (this.#exact.size <= exactMax) return;
      this.#useRegisters();
      return;
    }
    this.#register(hash);
  }

  #useRegisters(): void {
    if (this.#exact === undefined) return;
    this.#registers = new Uint8Array(registerCount);
    for (const one of this.#exact) this.#register(one);
    this.#exact = undefined;
  }

  /** Counts what another has counted, too. */
  merge(other: DistinctCount): void {
    if (other.#exact !== undefined) {
      for (const hash of other.#exact) this.add(hash);
      return;
    }
    this.#useRegisters();
    const registers = this.#registers!;
    other.#registers!.forEach((rank, at) => (registers[at] = Math.max(rank, registers[at])));
  }

  get estimate(): number {
    if (this.#exact !== undefined) return this.#exact.size;
    const registers = this.#registers!;
    let sum = 0;
    let empty = 0;
    for (const rank of registers) {
      sum += 2 ** -rank;
      if (rank === 0) empty++;
    }
    const raw = ((0.7213 / (1 + 1.079 / registerCount)) * registerCount ** 2) / sum;
    if (raw <= 2.5 * registerCount && empty > 0) return Math.round(registerCount * Math.log(registerCount / empty));
    // Hashes have 32 bits: beyond some hundred million values they begin to collide.
    return Math.round(raw <= 2 ** 32 / 30 ? raw : -(2 ** 32) * Math.log(Math.max(1e-9, 1 - raw / 2 ** 32)));
  }

  #register(hash: number): void {
    const at = hash >>> (32 - registerBits);
    const rank = Math.min(32 - registerBits, Math.clz32(hash << registerBits)) + 1;
    if (rank > this.#registers![at]) this.#registers![at] = rank;
  }
}

/** FNV-1a with the finaliser of MurmurHash3, so that all bits depend on all characters. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
