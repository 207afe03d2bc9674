/**
 * StatementParser: SQL text to statements.
 *
 * Contract: parsing is total and bounded: any text gives a statement or a SqlError ("syntax" with a position,
 * "not_selected" with the path of the leaf that would be needed, "limit_exceeded"), in time linear in its length.
 */
import type { ColumnValue } from "../architecture/catalog/table.ts";
import type { Statement } from "./statement.ts";

export interface StatementParser {
  /**
   * Parses the statement that begins at `start` and goes to the next `;` outside quotes and comments, or to the end.
   * `literals`: "constants" leaves them in the statement as they are; "parameters" numbers them from left to right, as
   * if each were a `?`, so that one plan serves every text of the same shape (their values are in `values`).
   * Throws SqlError.
   */
  parse(sql: string, start: number, literals: "constants" | "parameters"): ParsedStatement;
}

export interface ParsedStatement {
  readonly statement: Statement;
  readonly parameterCount: number;
  /** Where literals are parameters: their values, in order. */
  readonly values: readonly ColumnValue[];
  /** Offset of the `;` that ended it, or the text's length. */
  readonly end: number;
}
