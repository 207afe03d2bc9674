/** Shapes: what matches a shape has the values that parsing gives, whatever the literals are. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { recursiveDescentParser } from "./implementation/recursive_descent/recursive-descent.ts";
import { HexLiteral } from "./hex-literal.ts";
import { TextScanner } from "./text-scanner.ts";

const wrongHex = ["X'0'", "X'0g'", "X'00", "X'", "x'00'z", "0x", "0xg", "0x0g", "0X00", 'X"00"', "X '00'", "X'é0'"];
const runs = { numRuns: Number(process.env.LATHE_TEST_RUNS ?? 500) };

function literalAt(sql: string, at = 0) {
  const scanner = new TextScanner();
  scanner.begin(sql);
  return scanner.literal(at) ? { value: scanner.value, end: scanner.end } : undefined;
}

describe("literals", () => {
  const read: [string, unknown][] = [
    ["0", 0],
    ["123456789012345", 123456789012345],
    ["1234567890123456", 1234567890123456n],
    ["9223372036854775807", 9223372036854775807n],
    ["1.5", 1.5],
    ["1e3", 1000],
    ["2.5E-3", 0.0025],
    ["1.", 1],
    ["'abc'", "abc"],
    ["''", ""],
    ["'it''s'", "it's"],
    [`"a""b'c"`, `a"b'c`],
    ["'a\\'b\\\\c\\n\\0\\q'", "a'b\\c\n\0q"],
    ["'100\\%'", "100\\%"],
    ["'é☃😀'", "é☃😀"],
    ["X'00fF'", HexLiteral.of(0, 0xff)],
    ["x'0A'", HexLiteral.of(10)],
    ["X''", new HexLiteral(0)],
    ["0x00ff", HexLiteral.of(0, 0xff)],
    ["0xabc", HexLiteral.of(0x0a, 0xbc)],
  ];
  for (const [sql, value] of read) {
    test(sql, () => {
      assert.deepEqual(literalAt(sql), { value, end: sql.length });
      assert.deepEqual(literalAt(`= ${sql}, 'x\\'`, 2), { value, end: sql.length + 2 });
    });
  }
  for (const sql of ["1a", "1.2.3", "1e", "1e+", "'abc", "'abc\\'", `"a`, "'", "1e999", "9".repeat(200), ...wrongHex]) {
    test(`not a literal: ${sql.slice(0, 20)}`, () => assert.equal(literalAt(sql), undefined));
  }

  test("a literal of letters or digits never begins inside a word", () => {
    for (const sql of ["ax'00'", "_x'00'", "$x'00'", "éx'00'", "a5", "a0x00", "1x'00'"]) {
      assert.equal(literalAt(sql, 1), undefined, sql);
    }
    const scanner = new TextScanner();
    scanner.begin("SELECT a FROM t WHERE id IN('b')AND c='d'");
    scanner.shape(0);
    const segments = [...scanner.segments];
    for (const sql of ["SELECT a FROM t WHERE id IN('b')AND c='d'", "SELECT a FROM t WHERE id IN(x'00')AND c=5"]) {
      scanner.begin(sql);
      assert.ok(scanner.match(segments, 0, [], 0) > 0, sql);
    }
    scanner.begin("SELECT'b'");
    scanner.shape(0);
    const glued = [...scanner.segments];
    for (const sql of ["SELECTx'00'", "SELECT5", "SELECT0x00"]) {
      scanner.begin(sql);
      assert.equal(scanner.match(glued, 0, [], 0), -1, sql);
    }
  });

  test("as numbers, hexadecimal literals are unsigned integers of 64 bits", () => {
    const integers: [string, bigint | undefined][] = [
      ["X''", 0n], ["0x10", 16n], ["X'ffffffffffffffff'", 2n ** 64n - 1n], ["X'0000ffffffffffffffff'", 2n ** 64n - 1n],
      ["X'010000000000000000'", undefined],
    ];
    for (const [sql, integer] of integers) {
      const value = literalAt(sql)?.value;
      assert.ok(value instanceof HexLiteral);
      assert.equal(value.integer, integer, sql);
    }
  });

  test("megabytes of hexadecimal digits are read in linear time, well-formed or not", () => {
    const digits = "5a".repeat(4 << 20);
    for (const sql of [`X'${digits}'`, `0x${digits}`]) {
      const value = literalAt(sql)?.value;
      assert.ok(value instanceof HexLiteral);
      assert.equal(value.length, 4 << 20);
      assert.ok(value.every((byte) => byte === 0x5a));
    }
    for (const sql of [`X'${digits}`, `X'${digits}5'`, `0x${digits}g`, `X'g${digits}1'`]) assert.equal(literalAt(sql), undefined);
  });

  test("many strings before a far backslash are read in linear time", () => {
    const sql = `${"'abc',".repeat(200_000)}'\\n'`;
    const scanner = new TextScanner();
    scanner.begin(sql);
    let at = 0;
    let found = 0;
    while (at < sql.length && scanner.literal(at)) {
      at = scanner.end + 1;
      found++;
    }
    assert.equal(found, 200_001);
    assert.equal(scanner.value, "\n");
  });
});

const literalText = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 66n }).map(String),
  fc.integer({ min: 0 }).map((n) => `${n}.5`),
  fc.uint8Array({ maxLength: 6 }).map((bytes) => `X'${Buffer.from(bytes).toString("hex")}'`),
  fc.nat().map((n) => `0x${n.toString(16)}`),
  fc.string({ unit: "binary", maxLength: 12 }).map((text) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`),
  fc.string({ maxLength: 8 }).map((text) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`),
);
const forms = [
  "SELECT a, b FROM t WHERE id=$",
  "SELECT a FROM t WHERE id1 = $ AND id2=-$ AND type IN ($,$) LIMIT $",
  "INSERT INTO t (a1, b2) VALUES ($, $),($ ,NULL)",
  "update t set a=$,b = $ where a<$ and id=$",
  "DELETE FROM t WHERE (a,b) > ($,$)",
];
const fill = (form: string, literals: readonly string[]) => {
  let place = 0;
  return form.replace(/\$/g, () => literals[place++ % literals.length]);
};

describe("shapes", () => {
  const texts = fc.tuple(
    fc.constantFrom(...forms),
    fc.array(literalText, { minLength: 5, maxLength: 5 }),
    fc.array(literalText, { minLength: 5, maxLength: 5 }),
    fc.constantFrom("", ";", "; COMMIT", "  ;"),
  );

  test("two texts of one form have one shape, and its values are those of the parser", () => {
    fc.assert(
      fc.property(texts, ([form, first, second, tail]) => {
        const scanner = new TextScanner();
        scanner.begin(fill(form, first));
        assert.ok(scanner.shape(0) >= 0);
        const segments = [...scanner.segments];
        const { hash } = scanner;
        const sql = fill(form, second) + tail;
        scanner.begin(sql);
        const values: unknown[] = [];
        const end = scanner.match(tail === "  ;" ? [...segments.slice(0, -1), `${segments.at(-1)}  `] : segments, 0, values as never, 0);
        assert.ok(end >= 0, sql);
        const parsed = recursiveDescentParser.parse(sql, 0, "parameters");
        assert.deepEqual(values, parsed.values);
        assert.equal(end, parsed.end);
        assert.equal(scanner.shape(0), parsed.end);
        assert.deepEqual(scanner.values, parsed.values);
        if (tail !== "  ;") assert.equal(scanner.hash, hash);
      }),
      runs,
    );
  });

  test("a match never reads what the parser reads otherwise", () => {
    const damage = fc.tuple(texts, fc.nat(80), fc.constantFrom("", "'", '"', "\\", "1", "a", "x", "X'", "0x", ";", "-- ", "/*", " ", "`", "?", "."));
    let matched = 0;
    fc.assert(
      fc.property(damage, ([[form, first, second], at, piece]) => {
        const scanner = new TextScanner();
        scanner.begin(fill(form, first));
        scanner.shape(0);
        const segments = [...scanner.segments];
        const whole = fill(form, second);
        const sql = whole.slice(0, at) + piece + whole.slice(at + (at % 2));
        scanner.begin(sql);
        const values: unknown[] = [];
        const end = scanner.match(segments, 0, values as never, 0);
        if (end < 0) return;
        matched++;
        const parsed = recursiveDescentParser.parse(sql, 0, "parameters");
        assert.deepEqual({ values, end }, { values: parsed.values, end: parsed.end }, sql);
      }),
      { numRuns: runs.numRuns * 4 },
    );
    assert.ok(matched > 20, `${matched} matched`);
  });
});
