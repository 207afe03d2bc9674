/** The constants by which a product knows its selection and its data. */
import type { SelectedParts } from "../composition.ts";
import { formatHashOf } from "../format-hash.ts";

export function hashLines(selected: SelectedParts, selectionHash: string): string[] {
  return [
    "/** Of the leaves that were built. */",
    `export const selectionHash = ${JSON.stringify(selectionHash)};`,
    "/** Of the parts whose bytes are on disk. Stands in the header of every file; another one is refused. */",
    `export const formatHash = ${JSON.stringify(formatHashOf(selected))};`,
  ];
}
