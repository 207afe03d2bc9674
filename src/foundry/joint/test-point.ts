/**
 * Test points: for every cooperate edge among leaves that our parts implement, the test that finds it broken.
 *
 * A test point belongs to an edge, not to a part: neither end owns the invariant, so it is tested across both, on the
 * product as it is wired. Its text is a template in `points/`; products get those of their contract nodes. A test of
 * this room says which edge lacks one, and plants for each the fault that it must find.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LatheError } from "../../kit/errors.ts";
import { sourceRoot } from "../part-descriptor.ts";

export interface TestPoint {
  /** Name of its template. */
  readonly name: string;
  /** Ends of the edge, in any order. */
  readonly edge: readonly [string, string];
  /** The call in `product.ts` that joins the two ends. */
  readonly wiredBy: string;
  /** What the template uses beside `assert` and `test`: names by module. */
  readonly imports: Readonly<Record<string, readonly string[]>>;
  /** There is a variant of the template for each of these, unless one text does for all. */
  readonly doors: readonly TestDoor[];
  /** Its text is the same at all doors: it asks through `stored-values.ts`. */
  readonly anyDoor?: true;
}

/** How a product is asked: by statements, by keys where no part reads SQL, or by a library's tables. */
export type TestDoor = "sql" | "key-value" | "embedded";

const oneShot = "concurrency/transaction/model/one_shot_command";
const opened = { "../opened-product.ts": ["OpenedProduct"] };
const stored = { "../stored-values.ts": ["StoredValues"] };
const held = { ...stored, "../held-calls.ts": ["HeldCalls", "turn"] };
/** What all products can be asked for. */
const atAnyDoor = { doors: ["sql", "key-value", "embedded"], anyDoor: true } as const;

export const testPoints: readonly TestPoint[] = [
  {
    name: "conditions-at-apply",
    edge: [oneShot, "replication/single_node"],
    wiredBy: "openSingleNodeLog(",
    imports: opened,
    doors: ["sql", "key-value", "embedded"],
  },
  ...["lru", "w_tinylfu"].map((policy): TestPoint => ({
    name: "cache-in-turn",
    edge: [oneShot, `storage/page_io/replacement/${policy}`],
    wiredBy: "createStateMachine(",
    imports: opened,
    doors: ["sql", "key-value"],
  })),
  {
    name: "index-with-row",
    edge: [oneShot, "indexing/equality/kv_secondary"],
    wiredBy: "createStateMachine(",
    imports: {
      "node:fs": ["readdirSync", "readFileSync", "writeFileSync"], "node:path": ["join"], ...opened,
    },
    doors: ["sql"],
  },
  {
    name: "commit-validated",
    edge: ["concurrency/control/optimistic/validation", "concurrency/transaction/model/single_node_acid"],
    wiredBy: "createTransactions(",
    imports: { "../mysql-connection.ts": ["MysqlConnection"], ...opened },
    doors: ["sql"],
  },
  {
    name: "commit-durable",
    edge: ["recovery/strategy/wal_only", "concurrency/transaction/model/single_node_acid"],
    wiredBy: "createTransactions(",
    imports: {
      "node:module": ["syncBuiltinESMExports"], "../mysql-connection.ts": ["MysqlConnection"], ...opened,
    },
    doors: ["sql"],
  },
  {
    name: "commits-share-flush",
    edge: ["recovery/auxiliary/group_commit", "concurrency/transaction/model/single_node_acid"],
    wiredBy: "createTransactions(",
    imports: {
      "node:module": ["syncBuiltinESMExports"], "../mysql-connection.ts": ["MysqlConnection"], ...opened,
    },
    doors: ["sql"],
  },
  {
    name: "overflow-raised",
    edge: [
      "value_types/numeric/overflow_behavior/error_on_overflow", "parser/syntax/expression/arithmetic_operators",
    ],
    wiredBy: "createExecutor(",
    imports: opened,
    doors: ["sql"],
  },
  {
    name: "declared-length",
    edge: ["parser/syntax/ddl/create_table", "value_types/string/length_semantics/char_length"],
    wiredBy: "createExecutor(",
    imports: opened,
    doors: ["sql"],
  },
  {
    name: "frozen-until-listed",
    edge: ["core/blackboard", "architecture/background/flush_agent"],
    wiredBy: "openBlackboardEngine(",
    imports: held,
    ...atAnyDoor,
  },
  {
    name: "replaced-at-once",
    edge: ["core/blackboard", "architecture/background/compact_agent"],
    wiredBy: "openBlackboardEngine(",
    imports: held,
    ...atAnyDoor,
  },
  {
    name: "logged-before-shown",
    edge: ["core/blackboard", "architecture/background/ingest_agent"],
    wiredBy: "openSingleNodeLog(",
    imports: held,
    ...atAnyDoor,
  },
  {
    name: "log-end-found",
    edge: ["core/wal", "recovery/auxiliary/preallocated_log"],
    wiredBy: "openWal(",
    imports: { "node:fs": ["readFileSync", "statSync", "truncateSync"], ...stored },
    ...atAnyDoor,
  },
  ...[
    ["recovery/strategy/wal_only", "recovery/auxiliary/checkpoint"],
    ["core/wal", "recovery/auxiliary/fuzzy_checkpoint"],
  ].map(([log, state]): TestPoint => ({
    name: "log-until-state",
    edge: [log, state],
    wiredBy: "openSingleNodeLog(",
    imports: held,
    ...atAnyDoor,
  })),
];

/** Undefined where none is written. */
export function testPointOf(members: readonly string[], points = testPoints): TestPoint | undefined {
  return points.find(({ edge }) => edge.every((end) => members.includes(end)) && members.length === edge.length);
}

/** Text of a test point. Errors: NOT_FOUND. */
export function testPointText({ name, anyDoor }: TestPoint, door: TestDoor): string {
  return readTemplate(`points/${name}${anyDoor === true || door === "sql" ? "" : `-${door}`}.template`);
}

export function readTemplate(name: string): string {
  try {
    return readFileSync(join(sourceRoot, "foundry", "joint", name), "utf8");
  } catch (cause) {
    throw new LatheError("NOT_FOUND", `there is no template ${name} of a joint test`, { cause });
  }
}
