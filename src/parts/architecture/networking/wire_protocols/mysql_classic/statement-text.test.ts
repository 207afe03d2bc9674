import assert from "node:assert/strict";
import { test } from "node:test";
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
    ";;drop table t; x", "select # ;\n1; drop", 'select "\\""; drop table t',
  ]) {
    assert.equal(holdsSeveralStatements(sql), true, sql);
  }
});
