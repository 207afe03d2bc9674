/**
 * Refusals: which leaf a statement would need, where the product has none for it.
 */
import { SqlError } from "../../../query_processing/executor.ts";

export function notSelected(leaf: string, what: string): SqlError {
  return new SqlError("not_selected", `${what} is not part of this product; it needs the leaf ${leaf}`, leaf);
}

/** First words of statements that this parser knows of and does not have. */
export const statementLeaves: Readonly<Record<string, string>> = {
  ALTER: "parser/syntax/ddl/alter_table",
  ANALYZE: "parser/syntax/admin/analyze_table",
  CALL: "parser/syntax/ddl/create_routine",
  CHECK: "parser/syntax/admin/admin_statements",
  COPY: "parser/syntax/dml/copy",
  DEALLOCATE: "parser/syntax/dml/prepared_statements",
  EXECUTE: "parser/syntax/dml/prepared_statements",
  EXPLAIN: "parser/syntax/query_features/explain",
  GRANT: "parser/syntax/ddl/access_control",
  LOAD: "parser/syntax/dml/load_data",
  MERGE: "parser/syntax/dml/merge",
  OPTIMIZE: "parser/syntax/admin/admin_statements",
  PREPARE: "parser/syntax/dml/prepared_statements",
  RENAME: "parser/syntax/ddl/alter_table",
  REVOKE: "parser/syntax/ddl/access_control",
  TABLE: "parser/syntax/query_features/values_clause",
  TRUNCATE: "parser/syntax/dml/truncate",
  VALUES: "parser/syntax/query_features/values_clause",
  WITH: "parser/syntax/query_features/cte",
  XA: "concurrency/transaction/features/two_phase_xa",
};

/** What CREATE and DROP can be followed by. */
export const definitionLeaves: Readonly<Record<string, string>> = {
  DATABASE: "parser/syntax/ddl/create_database",
  EVENT: "parser/syntax/ddl/create_event",
  FULLTEXT: "indexing/fulltext/match_against",
  FUNCTION: "parser/syntax/ddl/create_routine",
  INDEX: "parser/syntax/ddl/create_index",
  OR: "parser/syntax/ddl/create_or_replace",
  PROCEDURE: "parser/syntax/ddl/create_routine",
  ROLE: "parser/syntax/ddl/access_control",
  SCHEMA: "parser/syntax/ddl/create_database",
  SEQUENCE: "parser/syntax/ddl/create_sequence",
  TRIGGER: "parser/syntax/ddl/create_trigger",
  UNIQUE: "parser/syntax/ddl/create_index",
  USER: "parser/syntax/ddl/access_control",
  VIEW: "parser/syntax/ddl/create_view",
};

/** Column types that have no part here. */
export const typeLeaves: Readonly<Record<string, string>> = {
  BOOL: "value_types/boolean/integer_alias",
  BOOLEAN: "value_types/boolean/integer_alias",
  DATE: "value_types/temporal/timestamp_encoding/packed_fields",
  DATETIME: "value_types/temporal/timestamp_encoding/packed_fields",
  DECIMAL: "value_types/numeric/exact_decimal/bounded_fixed_point",
  ENUM: "value_types/compound/enum",
  FLOAT: "value_types/numeric/floating",
  JSON: "value_types/semi_structured/json_text",
  MEDIUMINT: "value_types/numeric/integer/std_widths",
  NUMERIC: "value_types/numeric/exact_decimal/bounded_fixed_point",
  SMALLINT: "value_types/numeric/integer/std_widths",
  TIME: "value_types/temporal/timestamp_encoding/packed_fields",
  TIMESTAMP: "value_types/temporal/timestamp_encoding/packed_fields",
  TINYINT: "value_types/numeric/integer/std_widths",
  UUID: "value_types/special/uuid",
  YEAR: "value_types/temporal/timestamp_encoding/packed_fields",
};

/** Functions by name; any other is refused as a syntax error would be. */
export const functionLeaves: Readonly<Record<string, string>> = {
  ABS: "parser/syntax/functions/math",
  AVG: "parser/syntax/functions/aggregate",
  CAST: "parser/syntax/expression/cast",
  COALESCE: "parser/syntax/expression/conditional",
  CONCAT: "parser/syntax/functions/string",
  COUNT: "parser/syntax/functions/aggregate",
  IF: "parser/syntax/expression/conditional",
  IFNULL: "parser/syntax/expression/conditional",
  LENGTH: "parser/syntax/functions/string",
  LOWER: "parser/syntax/functions/string",
  MAX: "parser/syntax/functions/aggregate",
  MIN: "parser/syntax/functions/aggregate",
  NOW: "parser/syntax/functions/date_time",
  SLEEP: "parser/syntax/functions/date_time",
  SUM: "parser/syntax/functions/aggregate",
  UPPER: "parser/syntax/functions/string",
};
