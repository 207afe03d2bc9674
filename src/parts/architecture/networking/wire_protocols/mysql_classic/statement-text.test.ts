/** LATHE_FUZZ_SCALE multiplies the number of texts that are compared with the executor (default 1). */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openInMemory, RecordingSink } from "../../../../query_processing/execution/model/point_api/in-memory-doors.fixture.ts";
import { holdsSeveralStatements } from "./statement-text.ts";

test("a text with one statement is one statement, whatever it quotes", () => {
  for (const sql of [
    "select 1", "select 1;", " select 1 ; ; \n", "select ';'", 'select ";"', "select `;`", "select 'a\\';b'", "select 'a'';b'",
    "select 1; -- more; and more", "select 1 # a;b\n;", "select /* a;b */ 1;", "select 1; /* trailing */", "select 'unended; x",
    "select '\\\\';", "",
  ]) {
    assert.equal(holdsSeveralStatements(sql), false, sql);
  }
});

test("a second statement is found, however it hides", () => {
  for (const sql of [
    "select 1; drop table t", "select ';'; drop table t", "select 'a\\\\'; drop table t", "select `\\`; drop table t",
    "select 1;--drop", "select 1; /*! drop table t */", "select /* ' */ 1; drop table t -- '", "select '''';drop table t",
    ";;drop table t; x", "/*! ` */; drop table t; x", "select 1 /*! ' */; drop table t", "select # ;\n1; drop", 'select "\\""; drop table t',
  ]) {
    assert.equal(holdsSeveralStatements(sql), true, sql);
  }
});

test("what counts as one statement runs as one: the executor's lexer finds no second", async () => {
  const { executor } = openInMemory();
  const pieces = [
    "SHOW TABLES", "SELECT 'a'", ";", "; SHOW TABLES", "'", '"', "`", "\\", "\\'", "''", "-- ", "--", "#", "\n", " ", "/*", "*/", "/*!", "x",
  ];
  let several = 0;
  await fc.assert(fc.asyncProperty(fc.array(fc.constantFrom(...pieces), { maxLength: 9 }), async (drawn) => {
    const sql = drawn.join("");
    const sink = new RecordingSink();
    await executor.query(sql, sink);
    if (sink.results.length < 2) return;
    several++;
    assert.equal(holdsSeveralStatements(sql), true, sql);
  }), { numRuns: 20_000 * Number(process.env["LATHE_FUZZ_SCALE"] ?? 1) });
  assert.ok(several > 50, `${several} texts ran as several statements`);
});
