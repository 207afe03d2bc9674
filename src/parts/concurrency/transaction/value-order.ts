/**
 * Order of values as SQL sorts them here: NULL first, numbers as numbers, texts by the bytes of their UTF-8.
 *
 * Texts are compared without encoding them: by code units, which differs from the order of UTF-8 only between
 * surrogates and what lies above them; those are put in their place first.
 * Source: "UTF-16 for Processing", Unicode Technical Note 12 (code point order).
 */
import { compareBytes } from "../../../kit/compare.ts";
import type { ColumnValue } from "../../architecture/catalog/table.ts";

/** Negative, zero or positive. */
export function compareSorted(a: ColumnValue, b: ColumnValue): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  if (typeof a === "string" && typeof b === "string") return a === b ? 0 : compareTexts(a, b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareTexts(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const one = a.charCodeAt(i);
    const other = b.charCodeAt(i);
    if (one !== other) return inPlace(one) - inPlace(other);
  }
  return a.length - b.length;
}

/** Surrogates, 0xd800 to 0xdfff, stand for code points above every other unit. */
function inPlace(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
