/**
 * Statements as a grammar draws them: what this parser has, what it refuses by name, and damage to both.
 */

/** Draws of whoever asks: a whole number below `count`. */
export interface Draw {
  below(count: number): number;
}

const names = ["t", "items", "edges", "a", "b", "name", "id", "`a``b`", "`select`", "timestamp", "type", "db.t", "é"];
const literals = [
  "0", "1", "-5", "18446744073709551615", "9223372036854775808", "1.5e3", "1e999", "'a'", "'it''s'", "'\\'", "\"x\"",
  "X'00ff'", "0x1g", "_binary'\\0'", "_latin1'x'", "NULL", "TRUE", "?", "''", "'\uFFFD'", "`x`", "1e", ".5", "5.",
];
const pieces = [
  "(", ")", ",", "/*", "*/", "-- ", "#", "'", '"', "`", "?", "@@", "@x", ";", "\\", "/*!", "/*!99999", "JOIN", "\0", "é",
  "AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "IS NULL", "=", "<=>", "<", "!=", "||", "&&", ".", "*", "-", "||",
];

const pick = <Item>(draw: Draw, items: readonly Item[]): Item => items[draw.below(items.length)];
const list = (draw: Draw, make: () => string, most = 3) =>
  Array.from({ length: 1 + draw.below(most) }, make).join(draw.below(12) === 0 ? " " : ", ");

type Rule = (draw: Draw, depth: number) => string;

const name: Rule = (draw) => pick(draw, names);
const value: Rule = (draw) => pick(draw, literals);

const condition: Rule = (draw, depth) => {
  if (depth > 4) return `${name(draw, 0)} = ${value(draw, 0)}`;
  switch (draw.below(9)) {
    case 0:
      return `(${condition(draw, depth + 1)})`;
    case 1:
      return `${condition(draw, depth + 1)} AND ${condition(draw, depth + 1)}`;
    case 2:
      return `${condition(draw, depth + 1)} OR ${condition(draw, depth + 1)}`;
    case 3:
      return `(${list(draw, () => name(draw, 0))}) ${pick(draw, [">", "<=", "=", "<"])} (${list(draw, () => value(draw, 0))})`;
    case 4:
      return `${name(draw, 0)} IN (${list(draw, () => value(draw, 0), 5)})`;
    case 5:
      return `${name(draw, 0)} BETWEEN ${value(draw, 0)} AND ${value(draw, 0)}`;
    case 6:
      return `NOT ${condition(draw, depth + 1)}`;
    default:
      return `${name(draw, 0)} ${pick(draw, ["=", "<", ">", "<=", ">=", "<>", "LIKE", "<=>"])} ${value(draw, 0)}`;
  }
};

const where: Rule = (draw) => (draw.below(5) === 0 ? "" : ` WHERE ${condition(draw, 0)}`);
const tail: Rule = (draw) => {
  const order = draw.below(3) === 0 ? ` ORDER BY ${list(draw, () => `${name(draw, 0)}${pick(draw, ["", " DESC"])}`)}` : "";
  const limit = draw.below(3) === 0 ? ` LIMIT ${value(draw, 0)}${pick(draw, ["", ", 5", " OFFSET 2"])}` : "";
  return `${order}${limit}${pick(draw, ["", "", "", " FOR UPDATE"])}`;
};
const item: Rule = (draw) =>
  pick(draw, ["*", name(draw, 0), `COUNT(*)`, `SUM(${name(draw, 0)})`, `${name(draw, 0)} AS x`, value(draw, 0), "@@version"]);
const catalogTable: Rule = (draw) =>
  `information_schema.${pick(draw, ["tables", "columns", "schemata", "statistics", "nothing", "key_column_usage"])}`;
const catalogItem: Rule = (draw) =>
  pick(draw, ["*", "table_name", "t.*", "COUNT(*)", "CONCAT(table_name, 'x')", "IF(1, 2, 3)", "CASE WHEN 1 THEN 2 END", "1 + 1"]);

const statements: readonly Rule[] = [
  (draw) => {
    const depth = draw.below(20) === 0 ? 20_000 : draw.below(70);
    return `SELECT * FROM t WHERE ${pick(draw, ["(", "NOT (", "((a = 1 OR "]).repeat(depth)}a = 1${")".repeat(depth)}`;
  },
  (draw) => `SELECT ${"COUNT(*), SUM(a), ".repeat(draw.below(100))}${item(draw, 0)} FROM ${name(draw, 0)}`,
  (draw) => `SELECT ${list(draw, () => item(draw, 0))} FROM ${name(draw, 0)}${where(draw, 0)}${tail(draw, 0)}`,
  (draw) => `SELECT ${list(draw, () => item(draw, 0))} FROM ${name(draw, 0)}${where(draw, 0)}${tail(draw, 0)}`,
  (draw) => `SELECT ${list(draw, () => pick(draw, [value(draw, 0), "@@version", "DATABASE()", "CONNECTION_ID()"]))}`,
  (draw) =>
    `INSERT INTO ${name(draw, 0)} (${list(draw, () => name(draw, 0))}) VALUES ` +
    list(draw, () => `(${list(draw, () => value(draw, 0), 4)})`) +
    pick(draw, ["", "", ` ON DUPLICATE KEY UPDATE ${name(draw, 0)} = ${name(draw, 0)} + 1`]),
  (draw) =>
    `INSERT INTO ${name(draw, 0)} SELECT ${list(draw, () => value(draw, 0))} WHERE NOT EXISTS ` +
    `(SELECT 1 FROM ${name(draw, 0)}${where(draw, 0)})`,
  (draw) =>
    `UPDATE ${name(draw, 0)} SET ${list(draw, () => `${name(draw, 0)} = ${value(draw, 0)}`)}${where(draw, 0)}${tail(draw, 0)}`,
  (draw) => `DELETE FROM ${name(draw, 0)}${where(draw, 0)}${tail(draw, 0)}`,
  (draw) =>
    `CREATE TABLE ${pick(draw, ["", "IF NOT EXISTS "])}${name(draw, 0)} (${list(draw, () =>
      `${name(draw, 0)} ${pick(draw, ["BIGINT", "INT NOT NULL", "VARCHAR(20)", "DOUBLE", "VARBINARY(9)", "JSON", "CHAR(3)"])}`)}` +
    `, PRIMARY KEY (${list(draw, () => name(draw, 0))}))`,
  (draw) => `DROP TABLE ${pick(draw, ["", "IF EXISTS "])}${list(draw, () => name(draw, 0))}`,
  (draw) => `SET ${list(draw, () => `${pick(draw, ["", "SESSION ", "@@", "GLOBAL "])}${name(draw, 0)} = ${value(draw, 0)}`)}`,
  (draw) => pick(draw, [
    "BEGIN", "COMMIT", "ROLLBACK", "START TRANSACTION", "SET autocommit = 0", "SET autocommit = 1", "COMMIT AND CHAIN",
    "ROLLBACK WORK", "START TRANSACTION READ ONLY", "START TRANSACTION READ WRITE, WITH CONSISTENT SNAPSHOT",
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SET SESSION TRANSACTION READ ONLY",
  ]),
  (draw) =>
    pick(draw, ["SAVEPOINT ", "ROLLBACK TO ", "RELEASE SAVEPOINT ", "LOCK TABLES ", "UNLOCK TABLES", "START TRANSACTION /*!40100 WITH "]) +
    pick(draw, ["", name(draw, 0), `${name(draw, 0)} READ`, "a AS b READ /*!32311 LOCAL */, c WRITE", "CONSISTENT SNAPSHOT */"]),
  (draw) =>
    `SHOW ${pick(draw, ["", "FULL ", "GLOBAL "])}${pick(draw, [
      "TABLES", "DATABASES", "COLUMNS FROM items", "INDEX FROM items", "VARIABLES", "STATUS", "ENGINES", "CREATE TABLE items",
      "TABLE STATUS", "WARNINGS", "PROCESSLIST", "GRANTS", "COLLATION", "TRIGGERS", "NOTHING",
    ])}${pick(draw, ["", " LIKE '%a_'", ` WHERE ${condition(draw, 0)}`, " FROM lathe"])}`,
  (draw) =>
    `SELECT ${pick(draw, ["", "DISTINCT "])}${list(draw, () => catalogItem(draw, 0))} FROM ${catalogTable(draw, 0)} t` +
    pick(draw, ["", ` JOIN ${catalogTable(draw, 0)} u ON t.table_name = u.table_name`, ` LEFT JOIN ${catalogTable(draw, 0)} k USING (table_name)`]) +
    pick(draw, ["", ` WHERE table_schema = DATABASE()`, where(draw, 0), " WHERE table_name IN (SELECT table_name FROM information_schema.tables)"]) +
    pick(draw, ["", " GROUP BY table_name", " ORDER BY 1 DESC LIMIT 3"]),
  (draw) => `${pick(draw, ["DESCRIBE", "DESC", "USE", "EXPLAIN", "TRUNCATE TABLE", "REPLACE INTO", "WITH", "CALL"])} ${name(draw, 0)}`,
];

export function drawStatement(draw: Draw): string {
  return pick(draw, statements)(draw, 0);
}

/** A statement, or several, damaged in most cases. */
export function drawText(draw: Draw): string {
  let text = drawStatement(draw);
  if (draw.below(6) === 0) text += `; ${drawStatement(draw)}`;
  for (let edits = draw.below(4); edits > 0; edits--) {
    const at = draw.below(text.length + 1);
    const piece = draw.below(3) === 0 ? text.slice(draw.below(text.length + 1)).slice(0, 20) : pick(draw, pieces);
    text = text.slice(0, at) + (draw.below(4) === 0 ? "" : piece) + text.slice(at + draw.below(8));
  }
  // A piece again and again finds what takes more than linear time, or nests without end.
  if (draw.below(60) === 0) {
    const piece = pick(draw, [...pieces, "NOT (", "a.", "1,", "((a", "- ", "a=1 AND ", "@@a.", "CASE WHEN 1 THEN "]);
    const at = draw.below(text.length + 1);
    text = text.slice(0, at) + piece.repeat(200 + draw.below(2000)) + text.slice(at);
  }
  return text;
}
