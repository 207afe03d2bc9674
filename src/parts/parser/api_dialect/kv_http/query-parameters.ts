/**
 * Parameters of a query as bytes: percent-encoding undone, `+` a space, each name once.
 *
 * Keys are bytes, so nothing here goes through text: `%ff` is one byte, whatever it is in UTF-8.
 * Source: the URL standard's application/x-www-form-urlencoded, without its replacement of what is no UTF-8.
 */
import { Problem } from "./problem.ts";

const percent = 0x25;
const plus = 0x2b;

export class QueryParameters {
  readonly #values = new Map<string, string>();

  /** Errors: Problem 400. */
  constructor(query: string) {
    if (query === "") return;
    for (const pair of query.split("&")) {
      if (pair === "") continue;
      const equals = pair.indexOf("=");
      const name = equals < 0 ? pair : pair.slice(0, equals);
      if (this.#values.has(name)) throw new Problem(400, `the parameter ${name.slice(0, 40)} is given twice`);
      this.#values.set(name, equals < 0 ? "" : pair.slice(equals + 1));
    }
  }

  /** Undefined where it is not given. Errors: Problem 400. */
  bytes(name: string): Uint8Array | undefined {
    const value = this.#values.get(name);
    return value === undefined ? undefined : percentDecode(value, true);
  }

  text(name: string): string | undefined {
    const bytes = this.bytes(name);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString();
  }

  /** Undefined where it is not given. Errors: Problem 400. */
  integer(name: string, min: number, max: number): number | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    const number = /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new Problem(400, `${name} is no whole number from ${min} to ${max}`);
  }
}

/** Errors: Problem 400. */
export function percentDecode(text: string, plusIsSpace: boolean): Uint8Array {
  const bytes = Buffer.from(text, "latin1");
  let target = 0;
  for (let at = 0; at < bytes.length; at++, target++) {
    let byte = bytes[at];
    if (byte === percent) {
      const pair = text.slice(at + 1, at + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(pair)) throw new Problem(400, "a % is not followed by two hexadecimal digits");
      byte = Number.parseInt(pair, 16);
      at += 2;
    } else if (byte === plus && plusIsSpace) byte = 0x20;
    bytes[target] = byte;
  }
  return bytes.subarray(0, target);
}
