/**
 * CREATE TABLE and DROP TABLE.
 *
 * Accepted and without effect: CLUSTERED and NONCLUSTERED (rows always stand in key order), table options (ENGINE,
 * CHARSET, …), CHARACTER SET and COLLATE (text is UTF-8 in byte order), COMMENT, display widths as in INT(11).
 */
import type { ColumnType, ColumnValue } from "../../../architecture/catalog/table.ts";
import { notSelected, SqlError } from "../../../query_processing/executor.ts";
import type { IndexGrammar } from "../../key-grammar.ts";
import type {
  ColumnDefinition,
  CreateIndexStatement,
  CreateTableStatement,
  DropIndexStatement,
  DropTableStatement,
  IndexDefinition,
} from "../../statement.ts";
import { definitionLeaves, refusalOfType } from "./leaf-refusal.ts";
import type { TokenStream } from "./token-stream.ts";

const columnsMax = 1024;
const textLengthMax = 65_535;
const charLengthMax = 255;

const types: Readonly<Record<string, ColumnType>> = {
  BIGINT: "bigint",
  INT: "int",
  INTEGER: "int",
  DOUBLE: "double",
  REAL: "double",
  CHAR: "varchar",
  CHARACTER: "varchar",
  VARCHAR: "varchar",
  TEXT: "varchar",
  VARBINARY: "varbinary",
  BLOB: "varbinary",
};

/** After CREATE. */
export function parseCreate(
  stream: TokenStream,
  indexGrammar: IndexGrammar | undefined,
): CreateTableStatement | CreateIndexStatement {
  if (indexGrammar !== undefined && stream.isWord("INDEX")) return indexGrammar.create(stream);
  if (stream.isWord("TEMPORARY")) throw notSelected("storage/extra_engines/temptable", "a temporary table");
  if (!stream.acceptWord("TABLE")) throw refuseDefinition(stream, "CREATE");
  let ifNotExists = false;
  if (stream.acceptWord("IF")) {
    stream.expectWord("NOT");
    stream.expectWord("EXISTS");
    ifNotExists = true;
  }
  const table = stream.qualifiedName("a table");
  if (stream.isWord("LIKE") || stream.isWord("AS") || stream.isWord("SELECT")) {
    throw notSelected("query_processing/operators/materialize", `CREATE TABLE … ${stream.text}`);
  }
  const columns: ColumnDefinition[] = [];
  const indexes: IndexDefinition[] = [];
  let primaryKey: string[] = [];
  const declareKey = (names: string[]) => {
    if (primaryKey.length > 0) throw stream.syntax("a table has one primary key");
    primaryKey = names;
  };
  stream.expectSymbol("(");
  do {
    if (isKeyClause(stream, indexGrammar)) declareKey(parseKeyClause(stream));
    else if (indexGrammar !== undefined && isIndexClause(stream)) indexes.push(indexGrammar.clause(stream));
    else columns.push(parseColumnDefinition(stream, declareKey));
    if (columns.length > columnsMax) {
      throw new SqlError("limit_exceeded", `a table has more than ${columnsMax} columns`);
    }
  } while (stream.acceptSymbol(","));
  stream.expectSymbol(")");
  skipTableOptions(stream);
  const statement: CreateTableStatement = { kind: "createTable", table, ifNotExists, columns, primaryKey };
  return indexes.length === 0 ? statement : { ...statement, indexes };
}

/** After DROP. */
export function parseDrop(
  stream: TokenStream,
  indexGrammar: IndexGrammar | undefined,
): DropTableStatement | DropIndexStatement {
  if (indexGrammar !== undefined && stream.isWord("INDEX")) return indexGrammar.drop(stream);
  if (!stream.acceptWord("TABLE")) throw refuseDefinition(stream, "DROP");
  let ifExists = false;
  if (stream.acceptWord("IF")) {
    stream.expectWord("EXISTS");
    ifExists = true;
  }
  const tables: string[] = [];
  do tables.push(stream.qualifiedName("a table"));
  while (stream.acceptSymbol(","));
  if (!stream.acceptWord("CASCADE")) stream.acceptWord("RESTRICT");
  return { kind: "dropTable", tables, ifExists };
}

function refuseDefinition(stream: TokenStream, verb: string): SqlError {
  const leaf = stream.kind === "word" ? definitionLeaves[stream.text] : undefined;
  return leaf === undefined ? stream.unexpected("TABLE") : notSelected(leaf, `${verb} ${stream.text}`);
}

const tableClauses: Readonly<Record<string, string>> = {
  UNIQUE: "parser/syntax/constraints/unique",
  FOREIGN: "parser/syntax/constraints/foreign_keys",
  CHECK: "parser/syntax/constraints/check",
  FULLTEXT: "indexing/fulltext/match_against",
};

function isIndexClause(stream: TokenStream): boolean {
  return stream.isWord("KEY") || stream.isWord("INDEX");
}

/** Whether PRIMARY KEY comes next; other clauses are refused, KEY and INDEX only where no grammar takes them. */
function isKeyClause(stream: TokenStream, indexGrammar: IndexGrammar | undefined): boolean {
  if (stream.acceptWord("CONSTRAINT") && !stream.isWord("PRIMARY")) {
    if (tableClauses[stream.text] === undefined) stream.name("a constraint");
  }
  if (stream.isWord("PRIMARY")) return true;
  if (stream.kind !== "word") return false;
  if (tableClauses[stream.text] !== undefined) throw notSelected(tableClauses[stream.text], stream.text);
  if (indexGrammar === undefined && isIndexClause(stream)) {
    throw notSelected("indexing/equality/kv_secondary", "a secondary index");
  }
  return false;
}

function parseKeyClause(stream: TokenStream): string[] {
  stream.expectWord("PRIMARY");
  stream.expectWord("KEY");
  skipClustering(stream);
  stream.expectSymbol("(");
  const names: string[] = [];
  do {
    names.push(stream.name("a column"));
    if (stream.isSymbol("(")) {
      throw notSelected("indexing/modifiers/prefix", "a key on the beginning of a column");
    }
    if (stream.isWord("DESC")) throw notSelected("indexing/modifiers/descending", "a descending key");
    stream.acceptWord("ASC");
  } while (stream.acceptSymbol(","));
  stream.expectSymbol(")");
  skipClustering(stream);
  return names;
}

function skipClustering(stream: TokenStream): void {
  if (!stream.acceptWord("CLUSTERED")) stream.acceptWord("NONCLUSTERED");
}

function parseColumnDefinition(stream: TokenStream, declareKey: (names: string[]) => void): ColumnDefinition {
  const name = stream.name("a column");
  if (stream.kind !== "word") throw stream.unexpected("a type");
  const type = types[stream.text];
  if (type === undefined) {
    throw refusalOfType(stream.text) ?? stream.unexpected("a type");
  }
  let word = stream.text;
  stream.next();
  if (word === "DOUBLE") stream.acceptWord("PRECISION");
  if (word === "CHARACTER") word = stream.acceptWord("VARYING") ? "VARCHAR" : "CHAR";
  const fixed = word === "CHAR";
  const length = parseLength(stream) ?? (fixed ? 1 : undefined);
  if (fixed && length !== undefined && length > charLengthMax) {
    throw new SqlError("limit_exceeded", `CHAR(${length}) is longer than CHAR(${charLengthMax}); use VARCHAR`);
  }
  const text = type === "varchar" || type === "varbinary";
  const unbounded = word === "TEXT" || word === "BLOB";
  if (text && !unbounded && length === undefined) throw stream.unexpected(`a length, as in ${word}(150)`);
  const lengthMax = text ? (length ?? textLengthMax) : undefined;
  const attributes = parseAttributes(stream, name, declareKey);
  return fixed ? { name, type, lengthMax, fixed, ...attributes } : { name, type, lengthMax, ...attributes };
}

function parseLength(stream: TokenStream): number | undefined {
  if (!stream.acceptSymbol("(")) return undefined;
  const operand = stream.operand();
  const length = operand.kind === "constant" ? operand.value : undefined;
  if (typeof length !== "number" || !Number.isInteger(length) || length < 1) {
    throw stream.syntax("a length is not valid");
  }
  if (length > textLengthMax) {
    throw new SqlError("limit_exceeded", `a length of ${length} is over ${textLengthMax}`);
  }
  stream.expectSymbol(")");
  return length;
}

type Attributes = Pick<ColumnDefinition, "nullable" | "defaultValue" | "autoIncrement">;

function parseAttributes(
  stream: TokenStream,
  column: string,
  declareKey: (names: string[]) => void,
): Attributes {
  let attributes: Attributes = { nullable: true };
  for (;;) {
    if (stream.acceptWord("NOT")) {
      stream.expectWord("NULL");
      attributes = { ...attributes, nullable: false };
    } else if (stream.acceptWord("NULL")) {
      attributes = { ...attributes, nullable: true };
    } else if (stream.acceptWord("AUTO_INCREMENT")) {
      attributes = { ...attributes, autoIncrement: true };
    } else if (stream.acceptWord("PRIMARY")) {
      stream.expectWord("KEY");
      skipClustering(stream);
      declareKey([column]);
    } else if (stream.acceptWord("KEY")) {
      declareKey([column]);
    } else if (stream.acceptWord("DEFAULT")) {
      const defaultValue = parseDefault(stream);
      if (defaultValue !== null) attributes = { ...attributes, defaultValue };
    } else if (stream.acceptWord("COLLATE") || stream.acceptWord("CHARSET")) {
      stream.name("a name");
    } else if (stream.acceptWord("CHARACTER")) {
      stream.expectWord("SET");
      stream.name("a name");
    } else if (stream.acceptWord("COMMENT")) {
      stream.operand();
    } else {
      refuseAttribute(stream);
      return attributes;
    }
  }
}

function parseDefault(stream: TokenStream): ColumnValue {
  if (stream.isSymbol("(") || (stream.kind === "word" && functionsOfDefaults.has(stream.text))) {
    throw notSelected("parser/syntax/constraints/check", "DEFAULT other than a constant");
  }
  const operand = stream.operand();
  if (operand.kind !== "constant") throw stream.unexpected("a constant");
  return operand.value;
}

const functionsOfDefaults: ReadonlySet<string> = new Set(["CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"]);

function refuseAttribute(stream: TokenStream): void {
  if (stream.kind !== "word") return;
  const leaves: Readonly<Record<string, string>> = {
    CHECK: "parser/syntax/constraints/check",
    GENERATED: "parser/syntax/query_features/generated_columns",
    REFERENCES: "parser/syntax/constraints/foreign_keys",
    UNIQUE: "parser/syntax/constraints/unique",
    UNSIGNED: "value_types/numeric/signedness/signed_and_unsigned",
    ZEROFILL: "value_types/numeric/signedness/signed_and_unsigned",
  };
  const leaf = leaves[stream.text];
  if (leaf !== undefined) throw notSelected(leaf, stream.text);
}

/** `ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 …`: words, names and values up to the end; partitions are refused. */
function skipTableOptions(stream: TokenStream): void {
  while (stream.kind !== "end") {
    if (stream.isWord("PARTITION")) throw notSelected("parser/syntax/partitioning/hash", "PARTITION BY");
    if (stream.isWord("AS") || stream.isWord("SELECT")) {
      throw notSelected("query_processing/operators/materialize", "CREATE TABLE … SELECT");
    }
    const skippable = stream.kind === "word" || stream.kind === "name" || stream.kind === "literal";
    if (!skippable && !stream.isSymbol("=") && !stream.isSymbol(",")) {
      throw stream.unexpected("a table option");
    }
    stream.next();
  }
}
