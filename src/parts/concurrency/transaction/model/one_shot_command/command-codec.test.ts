/** The codec: round trips, and bytes from strangers. `LATHE_TEST_RUNS` sets the runs per property. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Column, ColumnType, ColumnValue } from "../../../../architecture/catalog/table.ts";
import type { ArithmeticOperator, Assignment, Command, CommandStep, Comparison, Expression, RowPredicate } from "../../command.ts";
import { commandCodec, decodeCommand } from "./command-codec.ts";

const runs = { numRuns: Number(process.env.LATHE_TEST_RUNS ?? 300) };
const ordinal = fc.nat(70_000);
const valueArbitrary: fc.Arbitrary<ColumnValue> = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double(),
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.uint8Array({ maxLength: 20 }),
  fc.constant(null),
);
const predicate: fc.Arbitrary<RowPredicate> = fc.record({
  tableId: fc.nat(),
  keyPrefix: fc.array(valueArbitrary, { maxLength: 4 }),
  conditions: fc.array(
    fc.record({
      ordinal,
      comparison: fc.constantFrom<Comparison>("=", "<", "<=", ">", ">=", "<>"),
      value: valueArbitrary,
    }),
    { maxLength: 3 },
  ),
});
const limited: fc.Arbitrary<RowPredicate> = fc
  .tuple(
    predicate,
    fc.array(
      fc.record({
        comparison: fc.constantFrom("<" as const, "<=" as const, ">" as const, ">=" as const),
        values: fc.array(valueArbitrary, { maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  )
  .map(([plain, bounds]) => ({ ...plain, bounds }));
const selection = fc.record({
  tableId: fc.nat(),
  indexId: fc.option(fc.integer({ min: 1, max: 1 << 30 }), { nil: undefined }),
  reverse: fc.boolean(),
  order: fc.array(fc.record({ ordinal, descending: fc.boolean() }), { maxLength: 3 }),
  offset: fc.nat(),
  limit: fc.oneof(fc.nat(), fc.constant(2 ** 40)),
  alternatives: fc.array(fc.oneof(predicate, limited), { maxLength: 3 }).map((all) =>
    all.map(({ tableId: _tableId, ...alternative }) => alternative)),
});
const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4 },
    valueArbitrary.map((value): Expression => ({ kind: "value", value })),
    fc.record({ kind: fc.constantFrom("column" as const, "inserted" as const), ordinal }),
    fc.record({
      kind: fc.constant("operation" as const),
      operator: fc.constantFrom<ArithmeticOperator>("+", "-", "*", "/", "DIV", "%"),
      left: tie("expression"),
      right: tie("expression"),
    }),
  ),
}));
const assignment: fc.Arbitrary<Assignment> = fc.tuple(ordinal, expression).map(([at, made]) =>
  made.kind === "value" ? { ordinal: at, value: made.value } : { ordinal: at, value: null, expression: made },
);
const name = fc.string({ unit: "binary", maxLength: 64 });
const column = fc.record(
  {
    name,
    type: fc.constantFrom<ColumnType>("bigint", "int", "double", "varchar", "varbinary"),
    nullable: fc.boolean(),
    lengthMax: fc.nat(65_535),
  },
  { requiredKeys: ["name", "type", "nullable"] },
);
const bytes = fc.uint8Array({ maxLength: 20 });
const mark = { rows: fc.nat(), low: fc.nat(0xffff_ffff), high: fc.nat(0xffff_ffff) };
const detailedColumn = fc.tuple(column, fc.boolean(), fc.option(valueArbitrary, { nil: undefined })).map(
  ([plain, fixed, defaultValue]): Column => ({
    ...plain,
    ...(fixed ? { fixed } : {}),
    ...(defaultValue === undefined ? {} : { defaultValue }),
  }),
);
const step: fc.Arbitrary<CommandStep> = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 6 }), fc.nat(4)).chain(([columns, rows]) =>
    fc.record({
      kind: fc.constant("insert" as const),
      tableId: fc.nat(),
      rows: fc.array(fc.array(valueArbitrary, { minLength: columns, maxLength: columns }), { minLength: rows, maxLength: rows }),
      unless: fc.array(predicate, { maxLength: 4 }),
    }),
  ),
  fc.record({
    kind: fc.constant("update" as const),
    target: predicate,
    set: fc.array(fc.record({ ordinal, value: valueArbitrary }), { maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant("update" as const), target: limited, set: fc.array(assignment, { maxLength: 3 }) }),
  fc.record({ kind: fc.constant("delete" as const), target: fc.oneof(predicate, limited, selection) }),
  fc.record({ kind: fc.constant("update" as const), target: selection, set: fc.array(assignment, { maxLength: 3 }) }),
  fc.record({ kind: fc.constant("read" as const), target: selection, limit: fc.nat() }),
  fc.record({ kind: fc.constant("read" as const), target: limited, limit: fc.nat() }),
  fc.record({
    kind: fc.constant("insert" as const),
    tableId: fc.nat(),
    rows: fc.array(fc.tuple(valueArbitrary, valueArbitrary), { maxLength: 3 }),
    unless: fc.array(predicate, { maxLength: 2 }),
    onDuplicate: fc.oneof(
      fc.constantFrom("ignore" as const, "replace" as const),
      fc.record({ set: fc.array(assignment, { maxLength: 3 }) }),
    ),
  }),
  fc.record({
    kind: fc.constant("write" as const),
    tableId: fc.nat(),
    rows: fc.array(fc.record({ key: bytes, value: fc.option(bytes, { nil: undefined }) }), { maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant("validate" as const),
    keys: fc.array(fc.record({ key: bytes, ...mark }), { maxLength: 3 }),
    ranges: fc.array(fc.record({ gte: bytes, lt: bytes, ...mark }), { maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant("reserve" as const),
    tableId: fc.nat(),
    count: fc.nat(),
    above: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  }),
  fc.array(detailedColumn, { minLength: 1, maxLength: 4 }).map((columns) => ({
    kind: "createTable" as const,
    ifNotExists: true,
    table: { id: 0, name: "detailed", columns, primaryKey: [0], autoIncrement: columns.length - 1 },
  })),
  fc.record({ kind: fc.constant("read" as const), target: predicate, limit: fc.nat() }),
  fc.record({ kind: fc.constant("dropTable" as const), name, ifExists: fc.boolean() }),
  fc.record({ kind: fc.constant("dropIndex" as const), table: name, name, ifExists: fc.boolean() }),
  fc.record({
    kind: fc.constant("createIndex" as const),
    table: name,
    name,
    columns: fc.uniqueArray(ordinal, { minLength: 1, maxLength: 4 }),
    ifNotExists: fc.boolean(),
  }),
  fc.array(column, { minLength: 1, maxLength: 5 }).chain((columns) =>
    fc.record({
      kind: fc.constant("createTable" as const),
      ifNotExists: fc.boolean(),
      table: fc.record(
        {
          id: fc.constant(0),
          name,
          columns: fc.constant(columns),
          primaryKey: fc.uniqueArray(fc.nat(columns.length - 1), { minLength: 1 }),
          indexes: fc.array(
            fc.record({ id: fc.constant(0), name, columns: fc.uniqueArray(fc.nat(columns.length - 1), { minLength: 1 }) }),
            { maxLength: 3 },
          ),
        },
        { requiredKeys: ["id", "name", "columns", "primaryKey"] },
      ),
    }),
  ),
);
// Records of fast-check may lack a prototype; a clone is a plain object.
const command: fc.Arbitrary<Command> = fc.record({ steps: fc.array(step, { maxLength: 6 }) }).map((made) => structuredClone(made));

const unencodable: CommandStep[] = [{ kind: "insert", tableId: 1, rows: [[2n ** 64n]], unless: [] }];

describe("command codec", () => {
  test("a command comes back as it was", () => {
    fc.assert(
      fc.property(command, (original) => assert.deepEqual(commandCodec.decode(commandCodec.encode(original)), original)),
      runs,
    );
  });

  test("commands that are kept stay as they were while others are encoded, also after one that failed", () => {
    const insert = (n: number, length: number): Command => ({
      steps: [{ kind: "insert", tableId: n, rows: [[BigInt(n), "x".repeat(length)]], unless: [] }],
    });
    const originals = Array.from({ length: 600 }, (_, n) => insert(n, n % 50 === 7 ? 100_000 : (n * 37) % 900));
    const encoded = originals.map((original, n) => {
      const bytes = commandCodec.encode(original);
      if (n % 11 === 0) assert.throws(() => commandCodec.encode({ steps: [...insert(n, 50).steps, ...unencodable] }));
      return bytes;
    });
    encoded.forEach((bytes, n) => assert.deepEqual(commandCodec.decode(bytes), originals[n]));
  });

  test("golden: commands of all formats are written, and read, as they were when the formats were made", () => {
    const bound = { comparison: ">" as const, values: [7n] };
    const sum = { kind: "operation" as const, operator: "+" as const, left: { kind: "column" as const, ordinal: 1 }, right: { kind: "value" as const, value: 1n } };
    const golden: [CommandStep, string][] = [
      [{ kind: "insert", tableId: 3, rows: [[1n, "a", null]], unless: [] }, "01010103030101010000000000000003016100" + "00"],
      [{ kind: "delete", target: { tableId: 3, keyPrefix: [-1n], conditions: [{ ordinal: 1, comparison: "<", value: 2.5 }] } }, "010103030101ffffffffffffffff01010102" + "0000000000000440"],
      [{ kind: "update", target: { tableId: 3, keyPrefix: [], conditions: [], bounds: [bound] }, set: [{ ordinal: 1, value: null, expression: sum }] }, "02012101030101070000000000000003000001010300010100010100000000000000"],
      [{ kind: "insert", tableId: 3, rows: [[1n]], unless: [], onDuplicate: "replace" }, "020120030101010100000000000000" + "00" + "02"],
      [{ kind: "write", tableId: 3, rows: [{ key: Uint8Array.of(1, 2), value: Uint8Array.of(9) }, { key: Uint8Array.of(3), value: undefined }] }, "02012503020201020101090103" + "00"],
      [{ kind: "validate", keys: [{ key: Uint8Array.of(5), rows: 1, low: 0x01020304, high: 0xfffefdfc }], ranges: [{ gte: Uint8Array.of(1), lt: Uint8Array.of(2), rows: 0, low: 0, high: 0 }] }, "02012601010501" + "04030201fcfdfeff" + "01010101" + "02" + "00" + "0000000000000000"],
      [{ kind: "reserve", tableId: 3, count: 256, above: 9n }, "0201270380020900000000000000"],
      [{ kind: "delete", target: { tableId: 3, indexId: 7, alternatives: [{ keyPrefix: [1n], conditions: [] }, { keyPrefix: [], conditions: [], bounds: [bound] }], reverse: true, order: [{ ordinal: 2, descending: true }], offset: 1, limit: 300 } }, "0301290307010102" + "0101ac0202" + "000301010100000000000000" + "00" + "01030101070000000000000003" + "0000"],
      [{ kind: "update", target: { tableId: 3, keyPrefix: [1n], conditions: [] }, set: [{ ordinal: 1, value: null, expression: { ...sum, operator: "/" } }] }, "0301210003010101000000000000000001010303010100010100000000000000"],
    ];
    for (const [step, hex] of golden) {
      const encoded = commandCodec.encode({ steps: [step] });
      assert.equal(Buffer.from(encoded).toString("hex"), hex, step.kind);
      assert.deepEqual(commandCodec.decode(new Uint8Array(Buffer.from(hex, "hex"))), { steps: [step] });
    }
  });

  test("text comes as its bytes where that is asked for", () => {
    const steps: CommandStep[] = [{ kind: "insert", tableId: 1, rows: [["é", 1n]], unless: [] }];
    const decoded = decodeCommand(commandCodec.encode({ steps }), "bytes").steps[0];
    assert.deepEqual(decoded.kind === "insert" && decoded.rows, [[Uint8Array.of(0xc3, 0xa9), 1n]]);
  });

  test("damaged commands are CORRUPTION or another valid command, never anything else", () => {
    let refused = 0;
    fc.assert(
      fc.property(command, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.nat(20), (original, flips, cut) => {
        const bytes = commandCodec.encode(original);
        for (const [at, byte] of flips) bytes[at % bytes.length] = byte;
        try {
          commandCodec.decode(bytes.subarray(0, bytes.length - Math.max(0, cut - 10)));
        } catch (error) {
          // A first byte above the formats that are known is what a newer product would have written.
          const { code } = error as { code?: string };
          assert.ok(code === "CORRUPTION" || (code === "FORMAT_UNKNOWN" && bytes[0] > 3), String(error));
          refused++;
        }
      }),
      runs,
    );
    assert.ok(refused > 20, `${refused} refused`);
  });

  test("counts that cannot be true are refused before anything is allocated", () => {
    const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    for (const bytes of [[1, ...huge], [1, 1, 1, 1, 1, ...huge], [1, 1, 1, 1, ...huge, ...huge], [1, 1, 3, 1, ...huge], [1, 1, 1, 1, 0, 5, 0]]) {
      assert.throws(() => commandCodec.decode(Uint8Array.from(bytes)), { code: "CORRUPTION" });
    }
    assert.throws(() => commandCodec.decode(Uint8Array.of(0, 0)), { code: "CORRUPTION" });
    assert.throws(() => commandCodec.decode(Uint8Array.of(4, 0)), { code: "FORMAT_UNKNOWN", message: /newer/ });
    assert.throws(() => commandCodec.decode(new Uint8Array(0)), { code: "CORRUPTION" });
  });

  test("rows of different lengths and integers of more than 64 bits are refused", () => {
    const insert = (rows: ColumnValue[][]): Command => ({ steps: [{ kind: "insert", tableId: 1, rows, unless: [] }] });
    assert.throws(() => commandCodec.encode(insert([[1n], [1n, 2n]])), { code: "INVALID_ARGUMENT" });
    assert.throws(() => commandCodec.encode(insert([[2n ** 63n]])), { code: "INVALID_ARGUMENT" });
  });
});
