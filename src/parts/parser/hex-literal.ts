/**
 * HexLiteral: the bytes of `X'00ff'` and `0x00ff`.
 *
 * A hexadecimal literal is a binary string, and a number where a number must stand: `0x10` in a BIGINT column is 16,
 * while the text '10' is 10. Its class is what tells it from the bytes that a driver binds as a parameter, which hold
 * digits.
 * Algorithm of `readHexLiteral`:
 *   1. `X'…'` and `x'…'` end at the next quote and have an even number of digits; `0x…` ends where a word ends, and an
 *      odd number of digits has a zero before it. `0X` begins no literal.
 *   2. Digits become bytes by a table, two at a time; any other character makes the whole no literal.
 * Cost: linear in the digits, and one array of half their number.
 * Source: "Hexadecimal Literals" in MySQL's reference manual.
 */

/** Value of a hexadecimal digit by its code, 255 for what is none. */
const digitValue = new Uint8Array(128).fill(255);
for (let i = 0; i < 16; i++) {
  digitValue[i.toString(16).charCodeAt(0)] = i;
  digitValue[i.toString(16).toUpperCase().charCodeAt(0)] = i;
}

const quote = 0x27;
const integerBytesMax = 8;

export class HexLiteral extends Uint8Array {
  /** As an unsigned integer, or undefined where it has more than 64 bits. */
  get integer(): bigint | undefined {
    let start = 0;
    while (start < this.length && this[start] === 0) start++;
    if (this.length - start > integerBytesMax) return undefined;
    let value = 0n;
    for (let i = start; i < this.length; i++) value = (value << 8n) | BigInt(this[i]);
    return value;
  }
}

export interface FoundHexLiteral {
  readonly value: HexLiteral;
  /** Offset behind the literal. */
  readonly end: number;
}

/** Whether `X'` or `x'` stands at `at`. */
export function beginsQuotedHex(sql: string, at: number): boolean {
  return (sql.charCodeAt(at) | 0x20) === 0x78 && sql.charCodeAt(at + 1) === quote;
}

/** The literal at `at`, where `X'` or `0x` stands; undefined where it is not well formed. */
export function readHexLiteral(sql: string, at: number): FoundHexLiteral | undefined {
  const start = at + 2;
  if (sql.charCodeAt(at + 1) === quote) {
    const close = sql.indexOf("'", start);
    if (close < 0 || (close - start) % 2 !== 0) return undefined;
    const value = bytesOf(sql, start, close);
    return value === undefined ? undefined : { value, end: close + 1 };
  }
  let end = start;
  while (hexDigit(sql.charCodeAt(end)) !== 255) end++;
  if (end === start) return undefined;
  const value = bytesOf(sql, start, end);
  return value === undefined ? undefined : { value, end };
}

function bytesOf(sql: string, start: number, end: number): HexLiteral | undefined {
  const value = new HexLiteral((end - start + 1) >> 1);
  let at = end;
  for (let place = value.length - 1; place >= 0; place--) {
    const low = hexDigit(sql.charCodeAt(--at));
    const high = at > start ? hexDigit(sql.charCodeAt(--at)) : 0;
    if (low === 255 || high === 255) return undefined;
    value[place] = (high << 4) | low;
  }
  return value;
}

function hexDigit(code: number): number {
  return code < 128 ? digitValue[code] : 255;
}
