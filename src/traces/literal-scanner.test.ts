/**
 * The scanner of literals beside the tokens that it stands for: on statements of recorded logs and on drawn ones, whose
 * pieces are what either could read in another way.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { LiteralScanner } from "./literal-scanner.ts";
import { MysqlGeneralLog } from "./mysql-general-log.ts";
import { PostgresqlTextLog } from "./postgresql-log.ts";
import type { Dialect } from "./sql-scanner.ts";
import { type StatementFacts, statementFacts } from "./statement-facts.ts";
import type { LogReader } from "./statement-log.ts";
import { StatementTemplates } from "./statement-templates.ts";
import { StatementTokens } from "./statement-tokens.ts";

const pieces = [
  "SELECT", "a", "b1", "t", "FROM", "WHERE", "=", "<", ">=", "::", ":=", "->", "||", ",", "(", ")", "+", "-", "*", "/", ".",
  "'x'", "'it''s'", "'a\\'b'", "'\\\\'", "''", "'", '"q"', '"a""b"', '"', "`n`", "`a``b`", "`", "E'e\\n'", "x'1f'", "_utf8'u'",
  "1", "0", "42", "1.5", "1e5", "1E+5", "2e", "0x1F", "0xg", "1a", ".5", "1..2", "00", "3-4", "9e-1x", "$1", "$12", "$", "$$",
  "$t$ x $t$", "$123456", "?", "@v", "@@g", "-- c\n", "--x", "--", "# h\n", "#", "/* c */", "/*! y */", "/*M!1 z */", "/*", "*/",
  "\u00df", "\u00e9t\u00e9", ";", "%", "\\", "\n", "\t", "\r\n", "LIMIT", "IN", "BETWEEN", "AND", "NULL", "N'n'", "b'1'", "B",
];

function below(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const isLiteral = (kind: string) => kind === "string" || kind === "number";

/** All tokens but the texts of literals. */
function shapeOf({ kinds, texts }: StatementTokens): string {
  return JSON.stringify(kinds.map((kind, at) => (isLiteral(kind) ? kind : `${kind} ${texts[at]}`)));
}

class Beside {
  taken = 0;
  readonly #shapes = new Map<number, string>();
  readonly #dialect: Dialect;
  readonly #scanner: LiteralScanner;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    this.#scanner = new LiteralScanner(dialect);
  }

  compare(sql: string, where: string): void {
    const scanner = this.#scanner;
    if (!scanner.scan(sql)) return;
    this.taken++;
    const tokens = new StatementTokens(sql, this.#dialect);
    const places = tokens.kinds.flatMap((kind, at) => (isLiteral(kind) ? [at] : []));
    const found = Array.from({ length: scanner.count }, (_, slot) => scanner.value(slot));
    assert.deepEqual(found, places.map((at) => tokens.value(at)), `${where}: ${sql}`);
    const shape = shapeOf(tokens);
    assert.equal(this.#shapes.get(scanner.hash) ?? shape, shape, `${where}: two shapes with one hash: ${sql}`);
    this.#shapes.set(scanner.hash, shape);
  }
}

test("drawn statements have the literals that their tokens have, and one hash only with the same shape", () => {
  const seed = Number(process.env.LATHE_TEST_SEED ?? 1);
  for (const dialect of ["mysql", "postgresql"] as const) {
    const random = below(seed);
    const beside = new Beside(dialect);
    for (let round = 0; round < 4000; round++) {
      const count = 1 + random(8);
      const drawn = Array.from({ length: count }, () => pieces[random(pieces.length)]);
      beside.compare(drawn.join(random(3) === 0 ? "" : " "), `seed ${seed}, ${dialect}, round ${round}`);
    }
    assert.ok(beside.taken > 400, `seed ${seed}: ${beside.taken}`);
  }
});

test("long values keep their beginnings and lengths, escapes count once", () => {
  const scanner = new LiteralScanner("mysql");
  assert.ok(scanner.scan(`INSERT INTO t VALUES ('${"x".repeat(300)}', 'a\\'b''c', 0x00ff, 17)`));
  assert.deepEqual([0, 1, 2, 3].map((slot) => scanner.bytes(slot)), [300, 5, 2, 2]);
  assert.equal(scanner.value(0), `${"x".repeat(256)}…300`);
  assert.equal(scanner.text(1), "a'b'c");
  assert.equal(scanner.scan("SELECT 1; SELECT 2"), false);
  assert.equal(scanner.scan("SELECT 1; "), true);
});

/** With the values of the statement in place of those of the template. */
function filled(facts: StatementFacts, literals: LiteralScanner): unknown {
  const given = (value: string, slot: number) => (slot < 0 ? value : literals.value(slot));
  return JSON.parse(JSON.stringify({
    ...facts,
    limitTo: facts.limitTo && { ...facts.limitTo, value: given(facts.limitTo.value, facts.limitTo.slot) },
    comparisons: facts.comparisons.map((one) => ({ ...one, values: one.values.map((value, at) => given(value, one.slots[at])) })),
    assigned: facts.assigned.map((one) => (
      { ...one, value: given(one.value, one.slot), bytes: one.slot < 0 ? one.bytes : literals.bytes(one.slot) }
    )),
  }));
}

test("statements of recorded logs have the same facts by template and by their tokens", () => {
  const logs: readonly (readonly [string, Dialect, LogReader])[] = [
    ["mariadb-general.log", "mysql", new MysqlGeneralLog()], ["postgresql.log", "postgresql", new PostgresqlTextLog()],
  ];
  for (const [name, dialect, reader] of logs) {
    const templates = new StatementTemplates<unknown>(dialect);
    const lines = readFileSync(join(import.meta.dirname, "golden", name), "latin1").split("\n");
    const events = [...lines.flatMap((line, at) => reader.line(line, at + 1, 0)), ...reader.end()];
    let again = 0;
    const seen = new Set<StatementFacts>();
    for (const event of events) {
      if (event.kind !== "statement") continue;
      const template = templates.find(event.sql);
      if (template === undefined) continue;
      const direct: unknown = JSON.parse(JSON.stringify(statementFacts(event.sql, dialect)));
      assert.deepEqual(filled(template.facts, templates.literals), direct, event.sql);
      if (seen.has(template.facts)) again++;
      seen.add(template.facts);
    }
    assert.ok(again > 200, `${name}: ${again}`);
  }
});
