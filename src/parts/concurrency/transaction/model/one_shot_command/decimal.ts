/**
 * Decimal: an exact number with digits after the point, between the operations of an expression; no column holds one.
 *
 * Digits are MySQL's, which carries them in groups of nine: a quotient has four digits more than its operands, rounded
 * up to whole groups, and is cut behind them. `2 / 3` is 0.666666666, `2 / 3 * 3` is 1.999999998, and either is rounded
 * only when it is stored in a column of integers.
 * Limits: 65 digits; products keep 30 of them after the point.
 * Source: do_div_mod of MySQL's strings/decimal.c, by its results.
 */

const group = 9;
const quotientDigits = 4;
const scaleMax = 30;
const digitsMax = 65;

export class Decimal {
  /** Its value times 10^scale. */
  readonly unscaled: bigint;
  readonly scale: number;

  constructor(unscaled: bigint, scale: number) {
    this.unscaled = unscaled;
    this.scale = scale;
  }

  /** Undefined where it has too many digits, or is no number. */
  static of(value: bigint | number | Decimal): Decimal | undefined {
    if (typeof value === "object") return value;
    if (typeof value === "bigint") return new Decimal(value, 0);
    const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
    if (match === null) return undefined;
    const [, sign, whole, fraction = "", exponent = "0"] = match;
    const shift = fraction.length - Number(exponent);
    if (Math.abs(shift) > digitsMax) return shift > 0 ? new Decimal(0n, 0) : undefined;
    const digits = BigInt(sign + whole + fraction);
    return shift >= 0 ? new Decimal(digits, shift) : new Decimal(digits * 10n ** BigInt(-shift), 0);
  }

  /** Whether it has no more digits than there may be. */
  get fits(): boolean {
    return magnitude(this.unscaled).toString().length - this.scale <= digitsMax;
  }

  plus(other: Decimal): Decimal {
    const scale = Math.max(this.scale, other.scale);
    return new Decimal(this.#at(scale) + other.#at(scale), scale);
  }

  minus(other: Decimal): Decimal {
    return this.plus(new Decimal(-other.unscaled, other.scale));
  }

  times(other: Decimal): Decimal {
    const product = new Decimal(this.unscaled * other.unscaled, this.scale + other.scale);
    return product.scale <= scaleMax ? product : new Decimal(product.#at(scaleMax), scaleMax);
  }

  /** `other` is not zero. */
  over(other: Decimal): Decimal {
    const [mine, others] = [grouped(this.scale), grouped(other.scale)];
    const more = Math.max(0, quotientDigits - (mine - this.scale) - (others - other.scale));
    const scale = Math.min(grouped(mine + others + more), 4 * group);
    const shift = scale - this.scale + other.scale;
    const dividend = this.unscaled * 10n ** BigInt(Math.max(0, shift));
    return new Decimal(dividend / other.unscaled, shift >= 0 ? scale : scale - shift);
  }

  /** The whole part of the quotient. `other` is not zero. */
  div(other: Decimal): bigint {
    const scale = Math.max(this.scale, other.scale);
    return this.#at(scale) / other.#at(scale);
  }

  /** With the sign of this one. `other` is not zero. */
  remainder(other: Decimal): Decimal {
    const scale = Math.max(this.scale, other.scale);
    return new Decimal(this.#at(scale) % other.#at(scale), scale);
  }

  /** The nearest integer; halves go away from zero. */
  rounded(): bigint {
    const unit = 10n ** BigInt(this.scale);
    const size = (magnitude(this.unscaled) * 2n + unit) / (unit * 2n);
    return this.unscaled < 0n ? -size : size;
  }

  toNumber(): number {
    return Number(`${this.unscaled}e-${this.scale}`);
  }

  /** The unscaled value at another scale, cut where that has fewer digits. */
  #at(scale: number): bigint {
    const shift = scale - this.scale;
    return shift >= 0 ? this.unscaled * 10n ** BigInt(shift) : this.unscaled / 10n ** BigInt(-shift);
  }
}

function grouped(digits: number): number {
  return Math.ceil(digits / group) * group;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}
