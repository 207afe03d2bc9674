/** An error packet of a MySQL server: number, SQLSTATE and message as it sent them. */
export class MySqlError extends Error {
  readonly code = "MYSQL";
  readonly number: number;
  readonly sqlState: string;

  constructor(number: number, sqlState: string, message: string) {
    super(`${message} (MySQL error ${number}, SQLSTATE ${sqlState})`);
    this.name = "MySqlError";
    this.number = number;
    this.sqlState = sqlState;
  }

  /** Decodes FF, number u16, '#', five characters of SQLSTATE, message. */
  static decode(bytes: Buffer, start: number, size: number): MySqlError {
    const number = bytes.readUInt16LE(start + 1);
    const marked = bytes[start + 3] === 0x23;
    const sqlState = marked ? bytes.toString("latin1", start + 4, start + 9) : "HY000";
    return new MySqlError(number, sqlState, bytes.toString("utf8", start + (marked ? 9 : 3), start + size));
  }

  /** A conflict with another transaction; the whole transaction may be tried again. */
  get isContention(): boolean {
    return this.number === 1213 || this.number === 1205;
  }
}
