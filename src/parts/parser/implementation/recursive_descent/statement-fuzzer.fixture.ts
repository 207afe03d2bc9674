/**
 * A fuzzer of the statement parser: any text ends, soon, in a statement or a SqlError.
 *
 * Soon: the tokens that are read are counted, and bounded by the length of the text. One seed is one text.
 */
import assert from "node:assert/strict";
import type { StatementParser } from "../../statement-parser.ts";
import { drawText } from "./statement-grammar.fixture.ts";
import type { Draw } from "./statement-grammar.fixture.ts";
import { TokenStream } from "./token-stream.ts";

/** Looking ahead reads a token again; twice for each is what the grammar does at its worst, nesting aside. */
const tokensPerCharacterMax = 3;

export interface ParseCounts {
  inputs: number;
  accepted: number;
  refused: number;
  /** Kinds of statements and of refusals that were seen. */
  readonly seen: Set<string>;
}

export function emptyParseCounts(): ParseCounts {
  return { inputs: 0, accepted: 0, refused: 0, seen: new Set() };
}

let tokensRead = 0;

/** Counts tokens from here on; returns what ends that. */
export function countTokens(): () => void {
  // oxlint-disable-next-line unbound-method
  const { next } = TokenStream.prototype;
  TokenStream.prototype.next = function countedNext(this: TokenStream) {
    tokensRead++;
    next.call(this);
  };
  return () => void (TokenStream.prototype.next = next);
}

export function fuzzStatement(parser: StatementParser, draw: Draw, counts: ParseCounts): void {
  const sql = drawText(draw);
  counts.inputs++;
  for (const literals of ["constants", "parameters"] as const) {
    tokensRead = 0;
    let at = 0;
    for (let parsedCount = 0; at <= sql.length; parsedCount++) {
      assert.ok(parsedCount <= sql.length + 1, "the parser does not get on");
      try {
        const parsed = parser.parse(sql, at, literals);
        assert.ok(parsed.end >= at && parsed.end <= sql.length, "a statement ends within its text");
        counts.accepted++;
        counts.seen.add(parsed.statement.kind);
        at = parsed.end + 1;
      } catch (thrown) {
        const { code, reason } = thrown as { code?: string; reason?: string };
        assert.equal(code, "SQL", `${String((thrown as Error).stack)} for ${JSON.stringify(sql.slice(0, 300))}`);
        counts.refused++;
        counts.seen.add(`refused ${reason}`);
        break;
      }
    }
    const most = 64 + tokensPerCharacterMax * sql.length;
    assert.ok(tokensRead <= most, `${tokensRead} tokens were read of ${sql.length} characters: ${sql.slice(0, 200)}`);
  }
}
