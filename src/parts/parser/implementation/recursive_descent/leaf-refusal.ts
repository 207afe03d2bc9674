/**
 * Refusals: which leaf a statement would need, where the product has none for it.
 */
import { notSelected, notServed, type SqlError } from "../../../query_processing/executor.ts";

/** First words of statements that this parser knows of and does not have. */
export const statementLeaves: Readonly<Record<string, string>> = {
  ALTER: "parser/syntax/ddl/alter_table",
  ANALYZE: "parser/syntax/admin/analyze_table",
  CALL: "parser/syntax/ddl/create_routine",
  CHECK: "parser/syntax/admin/admin_statements",
  COPY: "parser/syntax/dml/copy",
  EXPLAIN: "parser/syntax/query_features/explain",
  GRANT: "parser/syntax/ddl/access_control",
  LOAD: "parser/syntax/dml/load_data",
  MERGE: "parser/syntax/dml/merge",
  OPTIMIZE: "parser/syntax/admin/admin_statements",
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
  UNIQUE: "indexing/modifiers/unique",
  USER: "parser/syntax/ddl/access_control",
  VIEW: "parser/syntax/ddl/create_view",
};

/** Column types that have no part here, and no leaf that would bring them: what holds their values. */
const widerTypes: Readonly<Record<string, string>> = {
  FLOAT: "DOUBLE", MEDIUMINT: "INT", SMALLINT: "INT", TINYINT: "INT",
};

/** Column types that have no part here. */
export const typeLeaves: Readonly<Record<string, string>> = {
  BOOL: "value_types/boolean/integer_alias",
  BOOLEAN: "value_types/boolean/integer_alias",
  DATE: "value_types/temporal/timestamp_encoding/packed_fields",
  DATETIME: "value_types/temporal/timestamp_encoding/packed_fields",
  DECIMAL: "value_types/numeric/exact_decimal/bounded_fixed_point",
  ENUM: "value_types/compound/enum",
  JSON: "value_types/semi_structured/json_text",
  NUMERIC: "value_types/numeric/exact_decimal/bounded_fixed_point",
  TIME: "value_types/temporal/timestamp_encoding/packed_fields",
  TIMESTAMP: "value_types/temporal/timestamp_encoding/packed_fields",
  UUID: "value_types/special/uuid",
  YEAR: "value_types/temporal/timestamp_encoding/packed_fields",
};

/** Functions by name; any other is refused as a syntax error would be. */
export const functionLeaves: Readonly<Record<string, string>> = {
  ABS: "parser/syntax/functions/math",
  CAST: "parser/syntax/expression/cast",
  COALESCE: "parser/syntax/expression/conditional",
  CONCAT: "parser/syntax/functions/string",
  IF: "parser/syntax/expression/conditional",
  IFNULL: "parser/syntax/expression/conditional",
  LENGTH: "parser/syntax/functions/string",
  LOWER: "parser/syntax/functions/string",
  NOW: "parser/syntax/functions/date_time",
  SLEEP: "parser/syntax/functions/date_time",
  UPPER: "parser/syntax/functions/string",
};

/** Functions that are served in their own place only: as the columns of a SELECT from a table. */
const aggregates: ReadonlySet<string> = new Set(["AVG", "COUNT", "MAX", "MIN", "SUM"]);

/** Statements that are there in another form only. */
const statementsElsewhere: ReadonlySet<string> = new Set(["DEALLOCATE", "EXECUTE", "PREPARE"]);

/** Undefined: no statement begins so. */
export function refusalOfStatement(word: string): SqlError | undefined {
  if (statementsElsewhere.has(word)) {
    return notServed(`the statement ${word}`, "clients prepare statements by the protocol's commands");
  }
  const leaf = Object.hasOwn(statementLeaves, word) ? statementLeaves[word] : undefined;
  return leaf === undefined ? undefined : notSelected(leaf, `the statement ${word}`);
}

/** Undefined: no type is called so. */
export function refusalOfType(word: string): SqlError | undefined {
  if (Object.hasOwn(widerTypes, word)) return notServed(`the type ${word}`, `${widerTypes[word]} holds its values`);
  const leaf = Object.hasOwn(typeLeaves, word) ? typeLeaves[word] : undefined;
  return leaf === undefined ? undefined : notSelected(leaf, `the type ${word}`);
}

/** Undefined: no function is called so. */
export function refusalOfFunction(word: string): SqlError | undefined {
  if (aggregates.has(word)) return notServed(`${word} here`, "aggregates are columns of a SELECT from a table");
  const leaf = Object.hasOwn(functionLeaves, word) ? functionLeaves[word] : undefined;
  return leaf === undefined ? undefined : notSelected(leaf, `the function ${word}`);
}
