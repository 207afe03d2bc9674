/**
 * Statements of a grammar, damaged, against the parser. `LATHE_FUZZ_RUNS` sets how many (default 20000),
 * `LATHE_TEST_SEED` the first seed; `node scripts/fuzz.ts --protocol sql` runs it for as long as wanted.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { recursiveDescentParser } from "./recursive-descent.ts";
import { countTokens, emptyParseCounts, fuzzStatement } from "./statement-fuzzer.fixture.ts";
import { TokenStream } from "./token-stream.ts";

const runs = Number(process.env["LATHE_FUZZ_RUNS"] ?? 20_000);
const seed = Number(process.env["LATHE_TEST_SEED"] ?? 1);

function drawOf(from: number) {
  let state = Math.imul(from, 0x9e37_79b1) >>> 0;
  return {
    below(count: number) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * count);
    },
  };
}

function fuzz(count: number) {
  const counts = emptyParseCounts();
  const stop = countTokens();
  try {
    for (let at = seed; at < seed + count; at++) {
      try {
        fuzzStatement(recursiveDescentParser, drawOf(at), counts);
      } catch (thrown) {
        throw new Error(`seed ${at}: ${(thrown as Error).message}`, { cause: thrown });
      }
    }
  } finally {
    stop();
  }
  return counts;
}

test(`${runs} drawn texts end in a statement or a SqlError, after tokens in proportion to their length`, () => {
  const { accepted, refused, seen } = fuzz(runs);
  assert.ok(accepted > runs / 10 && refused > runs / 10, `${accepted} accepted, ${refused} refused`);
  for (const kind of ["select", "insert", "update", "delete", "createTable", "catalogQuery", "show", "set", "begin"]) {
    assert.ok(seen.has(kind), `no ${kind} was accepted`);
  }
  for (const reason of ["syntax", "not_selected", "limit_exceeded"]) assert.ok(seen.has(`refused ${reason}`), reason);
});

test("the fuzzer finds planted bugs", (context) => {
  const plant = (method: "unexpected" | "mark" | "nested", broken: (this: TokenStream, ...given: never[]) => unknown) => {
    const planted = context.mock.method(TokenStream.prototype, method, broken as never);
    assert.throws(() => fuzz(5000), /seed \d+/, `${method} was broken and nobody noticed`);
    planted.mock.restore();
  };
  plant("unexpected", function crash() {
    throw new TypeError("of undefined");
  });
  // A look ahead that begins again from the start of the text.
  plant("mark", function again(this: TokenStream) {
    const place = this.start;
    this.reset(0);
    while (this.start < place && this.kind !== "end") this.next();
    if (this.start !== place) this.reset(place);
    return place;
  });
  // No limit on nesting: the stack of the machine is not one of ours.
  plant("nested", (parse: () => unknown) => parse());
});
