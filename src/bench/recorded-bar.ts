/**
 * One row of a recorded bar, as every bench and script that records bars writes it: the list `bars` of its JSON file.
 * What a recorder knows beyond that (bounds, ratios to others) stands beside these fields or beside the list.
 */

export interface RecordedBar {
  readonly claim: string;
  /** As it is printed, with its unit. */
  readonly measured: string;
  /** What must hold, if anything must; otherwise the row is for comparison. */
  readonly bar?: { readonly text: string; readonly met: boolean } | undefined;
}

/** The bar and its outcome as a cell of a table; empty where nothing must hold. */
export function barText({ bar }: Pick<RecordedBar, "bar">): string {
  return bar === undefined ? "" : `${bar.text}: ${bar.met ? "met" : "NOT MET"}`;
}
