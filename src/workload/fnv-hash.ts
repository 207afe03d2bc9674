/**
 * YCSB's fnvhash64: FNV-1 over the eight bytes of a number, low byte first, made positive as Java's
 * Math.abs does.
 *
 * Algorithm: h = 0xCBF29CE484222325; eight times: h ^= byte; h *= 1099511628211 (mod 2^64). The 64-bit
 * product by the prime 2^40 + 2^8 + 0xb3 is done on two 32-bit halves, because a BigInt per step costs ten
 * times as much.
 * Source: YCSB core, site.ycsb.Utils.fnvhash64.
 */

/** The absolute value of the hash, as halves; kept between calls so that a draw allocates nothing. */
export class FnvHash {
  high = 0;
  low = 0;

  /** Hashes a whole number in [0, 2^53). */
  update(value: number): void {
    let high = 0xcbf29ce4;
    let low = 0x84222325;
    let rest = value;
    for (let byte = 0; byte < 8; byte++) {
      low = (low ^ (rest % 256)) >>> 0;
      rest = Math.floor(rest / 256);
      // (high, low) × (2^40 + 0x1b3) modulo 2^64
      const product = low * 0x1b3;
      const carry = Math.floor(product / 4294967296);
      high = (Math.imul(high, 0x1b3) + carry + (low << 8)) >>> 0;
      low = product >>> 0;
    }
    if (high >= 0x80000000) {
      low = (~low + 1) >>> 0;
      high = (~high + (low === 0 ? 1 : 0)) >>> 0;
    }
    this.high = high;
    this.low = low;
  }

  /** The hash modulo `divisor` < 2^32. */
  modulo(divisor: number): number {
    if (divisor <= 2097152) {
      return ((this.high % divisor) * (4294967296 % divisor) + (this.low % divisor)) % divisor;
    }
    return Number(this.toBigInt() % BigInt(divisor));
  }

  toBigInt(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low);
  }
}
