/**
 * Texts that are not UTF-8 because of their binary strings: `_binary'…'` with any bytes between its quotes, as
 * mysqldump, the MariaDB driver and others write values of binary columns.
 *
 * Algorithm of `withHexStrings`, for a text that UTF-8 does not explain:
 *   1. Walk the bytes as MySQL's lexer does: quoted runs with backslash escapes and doubled quotes, names in backticks,
 *      comments; whatever is no quote is ASCII or part of a word.
 *   2. A quoted run behind `_binary` becomes `X'…'` of the bytes that it stands for; `_binary` stays, so that it is a
 *      string wherever it stands.
 *   3. What lies between those must be UTF-8; otherwise there is no text.
 * Cost: linear in the bytes; only texts that failed to decode come here.
 * Source: "Character Set Introducers" in MySQL's reference manual.
 */
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const quote = 0x27;
const doubleQuote = 0x22;
const backtick = 0x60;
const backslash = 0x5c;
const introducer = "_binary";

/** The text with its binary strings in hexadecimal digits, or undefined where it still is not UTF-8. */
export function withHexStrings(bytes: Buffer): string | undefined {
  const pieces: string[] = [];
  let copied = 0;
  try {
    for (let at = 0; at < bytes.length; ) {
      const code = bytes[at];
      if (code === quote || code === doubleQuote || code === backtick) {
        const end = quotedEnd(bytes, at, code);
        if (end > 0 && code !== backtick && introducedAt(bytes, at)) {
          const hex = valueOf(bytes, at + 1, end - 1, code).toString("hex");
          pieces.push(strictUtf8.decode(bytes.subarray(copied, at)), "X'", hex, "'");
          copied = end;
        }
        at = end > 0 ? end : bytes.length;
      } else {
        at = commentEnd(bytes, at) ?? at + 1;
      }
    }
    return pieces.join("") + strictUtf8.decode(bytes.subarray(copied));
  } catch {
    return undefined;
  }
}

/** Offset behind the closing quote, or -1. A doubled quote is part of the run. */
function quotedEnd(bytes: Buffer, start: number, mark: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    const code = bytes[at];
    if (code === backslash && mark !== backtick) at++;
    else if (code === mark && bytes[at + 1] === mark) at++;
    else if (code === mark) return at + 1;
  }
  return -1;
}

/** Whether `_binary` stands before the quote, as a word of its own. */
function introducedAt(bytes: Buffer, at: number): boolean {
  let end = at;
  while (end > 0 && bytes[end - 1] <= 0x20) end--;
  const start = end - introducer.length;
  if (start < 0 || bytes.toString("latin1", start, end).toLowerCase() !== introducer) return false;
  return start === 0 || !isWordByte(bytes[start - 1]);
}

function isWordByte(code: number): boolean {
  const letter = (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
  return letter || (code >= 48 && code <= 57) || code === 0x5f || code === 0x24 || code >= 0x80;
}

function commentEnd(bytes: Buffer, at: number): number | undefined {
  const code = bytes[at];
  const next = bytes[at + 1];
  if (code === 0x2f && next === 0x2a) return endOf(bytes.indexOf("*/", at + 2), 2, bytes.length);
  const dashes = code === 0x2d && next === 0x2d && (at + 2 >= bytes.length || bytes[at + 2] <= 0x20);
  return code === 0x23 || dashes ? endOf(bytes.indexOf(0x0a, at), 1, bytes.length) : undefined;
}

function endOf(found: number, length: number, otherwise: number): number {
  return found < 0 ? otherwise : found + length;
}

const escapes: Readonly<Record<number, number>> = { 0x30: 0, 0x6e: 10, 0x72: 13, 0x74: 9, 0x62: 8, 0x5a: 26 };

function valueOf(bytes: Buffer, start: number, end: number, mark: number): Buffer {
  const value = Buffer.allocUnsafe(end - start);
  let length = 0;
  for (let at = start; at < end; at++) {
    let code = bytes[at];
    if (code === backslash && at + 1 < end) {
      const escaped = bytes[++at];
      // Patterns keep these two escapes, as in strings of text.
      if (escaped === 0x25 || escaped === 0x5f) value[length++] = backslash;
      code = escapes[escaped] ?? escaped;
    } else if (code === mark) {
      at++;
    }
    value[length++] = code;
  }
  return value.subarray(0, length);
}
