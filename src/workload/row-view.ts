/**
 * RowView: one row of a result, in place in the buffer in which it arrived. A client fills it; a verifier
 * reads it before the client goes on. Reused from row to row, so that reading a row allocates nothing.
 *
 * Integers of up to 64 bits are given as two halves (`high` signed, `low` unsigned); other columns as a
 * range of `bytes`.
 */
export const columnsMax = 64;

export class RowView {
  bytes: Uint8Array = new Uint8Array(0);
  columns = 0;
  /**
   * Range of column i in `bytes`; length −1 stands for NULL. Not set for integers of the binary protocol.
   */
  readonly start = new Uint32Array(columnsMax);
  readonly length = new Int32Array(columnsMax);
  readonly isInteger = new Uint8Array(columnsMax);
  readonly high = new Int32Array(columnsMax);
  readonly low = new Uint32Array(columnsMax);

  isNull(column: number): boolean {
    return this.length[column] < 0;
  }

  bigint(column: number): bigint {
    return (BigInt(this.high[column]) << 32n) | BigInt(this.low[column]);
  }

  text(column: number): string {
    const start = this.start[column];
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, this.length[column]).toString("latin1");
  }

  /**
   * Reads the decimal digits at a range into the halves of a column. False where they are no 64-bit
   * integer.
   */
  parseInteger(column: number, start: number, length: number): boolean {
    const bytes = this.bytes;
    const negative = bytes[start] === 0x2d;
    let high = 0;
    let low = 0;
    const end = start + length;
    for (let position = negative ? start + 1 : start; position < end; ) {
      // Six digits at a time: low · 10^6 stays below 2^53.
      let chunk = 0;
      let scale = 1;
      for (const stop = Math.min(position + 6, end); position < stop; position++) {
        const digit = bytes[position] - 0x30;
        if (digit < 0 || digit > 9) return false;
        chunk = chunk * 10 + digit;
        scale *= 10;
      }
      const product = low * scale + chunk;
      const carry = Math.floor(product / 4294967296);
      low = product - carry * 4294967296;
      high = high * scale + carry;
      if (high >= 4294967296) return false;
    }
    if (negative) {
      low = (~low + 1) >>> 0;
      high = ~high + (low === 0 ? 1 : 0);
    }
    this.high[column] = high | 0;
    this.low[column] = low;
    return length > (negative ? 1 : 0);
  }
}
