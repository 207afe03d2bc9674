/**
 * Statements that define a schema, as both dialects write them: CREATE TABLE, CREATE INDEX and ALTER TABLE into tables,
 * other definitions (triggers, views, routines, …) by name.
 *
 * Tolerant: what a definition has beyond columns, keys and constraints (engines, storage parameters, partitions of
 * unknown kinds) is passed over; a statement whose shape is not understood is the caller's to list.
 */
import { decodeName, type Dialect, type TokenKind } from "./sql-scanner.ts";
import {
  columnOf, familyOf, lengthOf, newColumn, newTable, type TraceColumn, type TraceTable,
} from "./table-definition.ts";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly length: number;
}

/** What a schema has that is neither a table, a column nor a key: `trigger`, `foreign_key`, `view`, … */
export interface SchemaObject {
  readonly kind: string;
  readonly name: string;
}

export interface SchemaTarget {
  readonly dialect: Dialect;
  table(name: string): TraceTable | undefined;
  define(table: TraceTable): void;
  object(object: SchemaObject): void;
}

const objectKinds: Readonly<Record<string, string>> = {
  TRIGGER: "trigger", VIEW: "view", PROCEDURE: "routine", FUNCTION: "routine", EVENT: "event", SEQUENCE: "sequence",
  TYPE: "type", DOMAIN: "type", EXTENSION: "extension", RULE: "rewrite_rule", POLICY: "row_security",
  AGGREGATE: "routine",
};
/** Words between CREATE and what is created, and clauses that MySQL writes there. */
const words = (text: string) => new RegExp(`^(${text.replaceAll(" ", "|")})$`);
const beforeObject = words(
  "OR REPLACE TEMPORARY TEMP UNLOGGED GLOBAL LOCAL FORCE DEFINER SQL SECURITY INVOKER ALGORITHM UNDEFINED MERGE " +
    "TEMPTABLE CONSTRAINT RECURSIVE AGGREGATE IF NOT EXISTS",
);
const columnAttributes = words(
  "NOT NULL DEFAULT PRIMARY UNIQUE KEY AUTO_INCREMENT COMMENT COLLATE CHECK REFERENCES GENERATED AS CONSTRAINT ON " +
    "VIRTUAL STORED PERSISTENT INVISIBLE STORAGE COLUMN_FORMAT",
);
const addedConstraints = words("CONSTRAINT PRIMARY UNIQUE KEY INDEX FOREIGN CHECK FULLTEXT SPATIAL EXCLUDE");
const keyWords = words("UNIQUE KEY INDEX USING BTREE HASH");

export function wordOf(token: Token | undefined): string {
  return token?.kind === "word" ? token.text.toUpperCase() : "";
}

function isMark(token: Token | undefined, mark: string): boolean {
  return token?.kind === "mark" && token.text === mark;
}

export function isNameToken(token: Token | undefined): token is Token {
  return token?.kind === "word" || token?.kind === "name";
}

/** The last part of `schema.name` at `at`, and where it ends. */
export function qualifiedName(tokens: readonly Token[], at: number): { name: string; end: number } | undefined {
  let end = at;
  if (!isNameToken(tokens[end])) return undefined;
  while (isMark(tokens[end + 1], ".") && isNameToken(tokens[end + 2])) end += 2;
  return { name: decodeName(tokens[end].text), end: end + 1 };
}

/** Whether the statement was understood. */
export function applySchemaStatement(tokens: readonly Token[], target: SchemaTarget, place: string): boolean {
  if (wordOf(tokens[0]) === "ALTER") return alterTable(tokens, target);
  let at = 1;
  let unique = false;
  while (at < tokens.length) {
    const word = wordOf(tokens[at]);
    if (word === "TABLE") return createTable(tokens, at + 1, target, place);
    if (word === "UNIQUE") unique = true;
    if (word === "INDEX") return createIndex(tokens, at + 1, unique, target);
    if (word === "MATERIALIZED") {
      target.object({ kind: "materialized_view", name: nameAfter(tokens, at + 2) });
      return true;
    }
    if (objectKinds[word] !== undefined) {
      target.object({ kind: objectKinds[word], name: nameAfter(tokens, at + 1) });
      return true;
    }
    if (word === "SCHEMA" || word === "DATABASE" || word === "USER" || word === "ROLE") return true;
    if (word !== "" && !beforeObject.test(word) && at > 12) return false;
    at++;
  }
  return false;
}

function nameAfter(tokens: readonly Token[], at: number): string {
  const start = skipIfExists(tokens, at);
  return qualifiedName(tokens, start)?.name ?? "";
}

function skipIfExists(tokens: readonly Token[], at: number): number {
  let next = at;
  while (/^(IF|NOT|EXISTS|ONLY|CONCURRENTLY)$/.test(wordOf(tokens[next]))) next++;
  return next;
}

function createTable(tokens: readonly Token[], from: number, target: SchemaTarget, place: string): boolean {
  const found = qualifiedName(tokens, skipIfExists(tokens, from));
  if (found === undefined) return false;
  if (wordOf(tokens[found.end]) === "PARTITION") {
    // PARTITION OF: rows of another table.
    target.object({ kind: "partition", name: found.name });
    return true;
  }
  const table = newTable(found.name, place);
  const mysql = target.dialect === "mysql";
  if (!isMark(tokens[found.end], "(")) return false;
  const body = parenthesised(tokens, found.end);
  for (const item of body.items) {
    const word = wordOf(item[0]);
    const constraint = /^(PRIMARY|UNIQUE|CONSTRAINT|FOREIGN|CHECK|EXCLUDE|LIKE)$/.test(word) ||
      (mysql && /^(KEY|INDEX|FULLTEXT|SPATIAL|PERIOD)$/.test(word));
    if (constraint) applyConstraint(item, table, target);
    else if (isNameToken(item[0])) defineColumn(item, table, target);
  }
  const rest = tokens.slice(body.end);
  if (rest.some((token) => wordOf(token) === "PARTITION")) target.object({ kind: "partition", name: table.name });
  for (const name of table.primaryKey) {
    const column = columnOf(table, name);
    if (column !== undefined) column.nullable = false;
  }
  if (table.columns.length === 0) return false;
  target.define(table);
  return true;
}

/** The comma-separated items of the parentheses that open at `open`, and the place after them. */
function parenthesised(tokens: readonly Token[], open: number): { items: Token[][]; end: number } {
  const items: Token[][] = [[]];
  let depth = 0;
  let at = open;
  for (; at < tokens.length; at++) {
    const token = tokens[at];
    if (isMark(token, "(") && depth++ === 0) continue;
    if (isMark(token, ")") && --depth === 0) break;
    if (depth === 1 && isMark(token, ",")) items.push([]);
    else items[items.length - 1].push(token);
  }
  return { items: items.filter((item) => item.length > 0), end: at + 1 };
}

function defineColumn(item: readonly Token[], table: TraceTable, target: SchemaTarget): void {
  const column = newColumn(decodeName(item[0].text));
  let at = 1;
  for (; at < item.length; at++) {
    const word = wordOf(item[at]);
    if (columnAttributes.test(word) || (word === "CHARACTER" && wordOf(item[at + 1]) === "SET")) break;
  }
  column.declared = textOf(item.slice(1, at)).toLowerCase();
  column.family = familyOf(column.declared);
  column.lengthMax = lengthOf(column.declared, target.dialect === "mysql");
  if (/^(small|big)?serial\d?/.test(column.declared)) {
    column.autoIncrement = true;
    column.nullable = false;
  }
  applyAttributes(item.slice(at), column, table, target);
  table.columns.push(column);
}

function applyAttributes(item: readonly Token[], column: TraceColumn, table: TraceTable, target: SchemaTarget): void {
  const name = `${table.name}.${column.name}`;
  for (let at = 0; at < item.length; at++) {
    const next = wordOf(item[at + 1]);
    switch (wordOf(item[at])) {
      case "NOT":
        if (next === "NULL") column.nullable = false;
        break;
      case "AUTO_INCREMENT":
        column.autoIncrement = true;
        break;
      case "PRIMARY":
        table.primaryKey = [column.name];
        break;
      case "UNIQUE":
        table.keys.push({ name: `${column.name}_unique`, columns: [column.name], unique: true });
        break;
      case "REFERENCES":
        target.object({ kind: "foreign_key", name });
        break;
      case "CHECK":
        // MariaDB declares JSON as text that is checked.
        if (item.slice(at).some((token) => wordOf(token) === "JSON_VALID")) column.family = "json";
        else target.object({ kind: "check", name });
        break;
      case "GENERATED":
        if (item.slice(at).some((token) => wordOf(token) === "IDENTITY")) column.autoIncrement = true;
        else target.object({ kind: "generated_column", name });
        break;
      case "AS":
        if (isMark(item[at + 1], "(") && !column.autoIncrement) target.object({ kind: "generated_column", name });
        break;
      case "NEXTVAL":
        column.autoIncrement = true;
        break;
    }
  }
}

/** A table constraint or key, also as ALTER TABLE … ADD has it. */
function applyConstraint(item: readonly Token[], table: TraceTable, target: SchemaTarget): void {
  let at = 0;
  let name = "";
  if (wordOf(item[0]) === "CONSTRAINT") {
    at = 1;
    if (isNameToken(item[1]) && !/^(PRIMARY|UNIQUE|FOREIGN|CHECK)$/.test(wordOf(item[1]))) {
      name = decodeName(item[1].text);
      at = 2;
    }
  }
  const word = wordOf(item[at]);
  const open = item.findIndex((token, place) => place > at && isMark(token, "("));
  const unnamed = `${table.name}_${table.keys.length + 1}`;
  if (word === "PRIMARY" && open >= 0) {
    table.primaryKey = keyColumns(item, open);
    return;
  }
  if (word === "FOREIGN") target.object({ kind: "foreign_key", name: name || table.name });
  else if (word === "CHECK") target.object({ kind: "check", name: name || table.name });
  else if (word === "EXCLUDE") target.object({ kind: "exclude", name: name || table.name });
  else if (word === "FULLTEXT") target.object({ kind: "fulltext_index", name: table.name });
  else if (word === "SPATIAL") target.object({ kind: "spatial_index", name: table.name });
  else if (word === "PERIOD") target.object({ kind: "system_versioning", name: table.name });
  else if (open >= 0 && /^(UNIQUE|KEY|INDEX)$/.test(word)) {
    const named = item.slice(at, open).findLast(
      (token) => isNameToken(token) && !keyWords.test(wordOf(token)),
    );
    addKey(item, open, {
      name: named === undefined ? name || unnamed : decodeName(named.text), unique: word === "UNIQUE"
    }, table, target);
  }
}

function addKey(
  item: readonly Token[],
  open: number,
  { name, unique }: { name: string; unique: boolean },
  table: TraceTable,
  target: SchemaTarget,
): void {
  const { items } = parenthesised(item, open);
  const plain = items.every(
    (one) => isNameToken(one[0]) && (one.length === 1 || !isMark(one[1], "(") || one[2]?.kind === "number")
  );
  if (!plain) {
    target.object({ kind: "expression_index", name });
    return;
  }
  if (items.some((one) => isMark(one[1], "("))) target.object({ kind: "prefix_index", name });
  // A log may tell of an index that a dump has, too.
  if (table.keys.some((key) => key.name === name)) return;
  table.keys.push({ name, columns: keyColumns(item, open), unique });
}

function keyColumns(item: readonly Token[], open: number): string[] {
  return parenthesised(item, open).items.filter((one) => isNameToken(one[0])).map((one) => decodeName(one[0].text));
}

function createIndex(tokens: readonly Token[], from: number, unique: boolean, target: SchemaTarget): boolean {
  const on = tokens.findIndex((token, at) => at >= from && wordOf(token) === "ON");
  if (on < 0) return false;
  const found = qualifiedName(tokens, skipIfExists(tokens, on + 1));
  const table = found && target.table(found.name);
  if (found === undefined || table === undefined) return false;
  const open = tokens.findIndex((token, at) => at >= found.end && isMark(token, "("));
  if (open < 0) return false;
  const method = wordOf(tokens[open - 1]);
  const name = nameAfter(tokens, from);
  const methods: Readonly<Record<string, string>> = {
    GIN: "inverted_index", GIST: "spatial_index", SPGIST: "spatial_index", BRIN: "summary_index", HASH: "hash_index",
    HNSW: "vector_index", IVFFLAT: "vector_index",
  };
  if (methods[method] !== undefined) target.object({ kind: methods[method], name });
  const { end } = parenthesised(tokens, open);
  if (tokens.slice(end).some((token) => wordOf(token) === "WHERE")) target.object({ kind: "partial_index", name });
  addKey(tokens, open, { name, unique }, table, target);
  return true;
}

function alterTable(tokens: readonly Token[], target: SchemaTarget): boolean {
  if (wordOf(tokens[1]) !== "TABLE") return true;
  const found = qualifiedName(tokens, skipIfExists(tokens, 2));
  if (found === undefined) return false;
  const table = target.table(found.name);
  // Sequences and views have owners, too.
  if (table === undefined) return wordOf(tokens[found.end]) === "OWNER";
  for (const action of actionsOf(tokens, found.end)) {
    const [first = "", second = ""] = action.slice(0, 2).map((token) => wordOf(token));
    if (first === "ADD" && addedConstraints.test(second)) {
      applyConstraint(action.slice(1), table, target);
    } else if (first === "ADD" && isNameToken(action[1])) {
      defineColumn(action.slice(second === "COLUMN" ? 2 : 1), table, target);
    } else if (first === "ALTER" || first === "MODIFY" || first === "CHANGE") {
      const name = action[second === "COLUMN" ? 2 : 1];
      const column = name === undefined ? undefined : columnOf(table, decodeName(name.text));
      if (column === undefined) continue;
      const counts = action.some((token) => /^(AUTO_INCREMENT|IDENTITY|NEXTVAL)$/.test(wordOf(token)));
      if (counts) column.autoIncrement = true;
    } else if (first === "ENABLE" && second === "ROW") target.object({ kind: "row_security", name: table.name });
  }
  for (const name of table.primaryKey) {
    const column = columnOf(table, name);
    if (column !== undefined) column.nullable = false;
  }
  return true;
}

function actionsOf(tokens: readonly Token[], from: number): Token[][] {
  const actions: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens.slice(from)) {
    if (isMark(token, "(")) depth++;
    if (isMark(token, ")")) depth--;
    if (depth === 0 && isMark(token, ",")) actions.push([]);
    else actions[actions.length - 1].push(token);
  }
  return actions.filter((action) => action.length > 0);
}

function textOf(tokens: readonly Token[]): string {
  return tokens.map((token) => (token.kind === "string" ? `'${token.text}'` : token.text)).join(" ")
    .replace(/ ?([(),.]) ?/g, "$1").replace(/\[ ?\]/, "[]").replace(" []", "[]");
}
