/**
 * Any text ends, soon, in a statement or a SqlError. Random characters, random tokens, and damaged statements.
 * `LATHE_TEST_RUNS` sets the runs per property.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { recursiveDescentParser } from "./recursive-descent.ts";

const runs = { numRuns: Number(process.env.LATHE_TEST_RUNS ?? 1500) };
const statements = [
  "SELECT timestamp, value FROM edges WHERE id1=123 AND id2=? AND type='3'",
  "INSERT INTO edges (id1,id2,type) SELECT ?, 2, 3 WHERE NOT EXISTS (SELECT 1 FROM edges WHERE (id1=? AND type=0) OR id2=5)",
  "SELECT id1 FROM edges WHERE (id1, id2, type) > ('1','2','3') AND (id1, id2) < (4, -5) ORDER BY id1, id2 LIMIT 10",
  "UPDATE `edges` SET timestamp=1.5e3, value='a''b\\'c' WHERE timestamp<5 AND id1 IN (1, 2, 3)",
  "CREATE TABLE IF NOT EXISTS t (id BIGINT NOT NULL, v VARCHAR(150) NULL, PRIMARY KEY CLUSTERED (id)) ENGINE=InnoDB",
  "START TRANSACTION; DELETE FROM t WHERE id BETWEEN 1 AND 2; COMMIT",
  "SET @@session.sql_mode = CONCAT('a', \"b\"), NAMES utf8mb4",
  "SHOW VARIABLES LIKE 'x%'; select @@version_comment limit 1 -- end",
];
const tokens = statements.flatMap((sql) => sql.split(/(?<=\W)|(?=\W)/)).concat(["(", ")", ",", "/*", "*/", "--", "'", '"', "`", "?", "@@", ";", "\\", "X'", "x'00'", "0x", "0x1g", "_binary", "_latin1", "/*!", "JOIN", "é", "\0"]);

let accepted = 0;
let refused = 0;
function check(sql: string): void {
  for (const literals of ["constants", "parameters"] as const) {
    let at = 0;
    for (let count = 0; at <= sql.length; count++) {
      assert.ok(count <= sql.length + 1, "the parser does not get on");
      try {
        const parsed = recursiveDescentParser.parse(sql, at, literals);
        assert.ok(parsed.end >= at && parsed.end <= sql.length);
        at = parsed.end + 1;
        accepted++;
      } catch (error) {
        assert.equal((error as { code?: string }).code, "SQL", String((error as Error).stack));
        refused++;
        break;
      }
    }
  }
}

describe("parser under any text", () => {
  test("random characters", () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary", maxLength: 60 }), fc.string({ maxLength: 60 })), check), runs);
  });

  test("random tokens", () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(...tokens), { maxLength: 40 }), fc.constantFrom("", " "), (list, space) => check(list.join(space))), runs);
  });

  test("damaged statements", () => {
    const edit = fc.tuple(fc.nat(), fc.nat(6), fc.constantFrom(...tokens, ""));
    fc.assert(
      fc.property(fc.constantFrom(...statements), fc.array(edit, { maxLength: 4 }), (sql, edits) => {
        let text = sql;
        for (const [place, length, token] of edits) {
          const at = place % (text.length + 1);
          text = text.slice(0, at) + token + text.slice(at + length);
        }
        check(text);
      }),
      runs,
    );
  });

  test("the runs have seen both outcomes", () => {
    assert.ok(accepted > 500 && refused > 500, `${accepted} accepted, ${refused} refused`);
  });

  test("texts of a megabyte end in time that grows with their length only", () => {
    const big = 1 << 20;
    for (const piece of ["(", "a,", "'a',", "- ", "/**/", "a.", "`a`", "((a", "1 ", "a=1 AND ", "@@", "\\'", "X'00'", "0x1 ", "x'", "_binary", "/*!1*/"]) {
      for (const head of ["", "SELECT ", "SELECT * FROM t WHERE ", "INSERT INTO t VALUES (", "SET a=", "CREATE TABLE t ("]) {
        check(head + piece.repeat(big / 16 / piece.length));
      }
    }
  });
});
