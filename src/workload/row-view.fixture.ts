/** Rows as a client shows them that asked for text; for tests. */
import type { TableSpec } from "../contract/contract.ts";
import { RowView } from "./row-view.ts";
import type { CellValue } from "./workload.ts";

export function textRow({ columns }: TableSpec, cells: readonly CellValue[]): RowView {
  const row = new RowView();
  row.bytes = Buffer.from(cells.join(""), "latin1");
  row.columns = cells.length;
  let start = 0;
  cells.forEach((cell, at) => {
    const { length } = String(cell);
    row.start[at] = start;
    row.length[at] = length;
    const { type } = columns[at];
    row.isInteger[at] = (type === "int" || type === "bigint") && row.parseInteger(at, start, length) ? 1 : 0;
    start += length;
  });
  return row;
}
