/** How columns of keys hold the numbers of rows, where a driver makes the rows. */
import type { Column } from "./contract.ts";

/** Letters that carry a row's number in a key of text, at least and at most. */
export const keyLetters = 6;
export const keyLettersMax = 16;

/** Whether a key column has room for the numbers of all rows. */
export function isWide({ type, lengthMax = 0 }: Column): boolean {
  return type === "int" || type === "bigint" || (type !== "double" && lengthMax >= keyLetters);
}
