/**
 * Writes `openStore` of `product.ts`: what lies behind every surface, opened in the order in which it is needed.
 *
 * Invariants: each part is opened by one visible call, with its knobs by name; what was not selected adds no line.
 */
import type { Contract } from "../../contract/contract.ts";
import { keyValueShape, keyValueTableOf } from "../../contract/key-value-table.ts";
import { LatheError } from "../../kit/errors.ts";
import type { SelectedParts } from "../composition.ts";
import { literal } from "./literal.ts";
import { type KnobLines, limitLines } from "./option-lines.ts";
import { hasTuning, type SlotNames, slotsOf } from "./slots.ts";

export function storeFunction(contract: Contract, selected: SelectedParts, knobLines: KnobLines): string[] {
  const keyValue = selected.keyValueStore === undefined ? undefined : keyValueLines(contract, selected);
  const of = slotsOf(selected);
  const cache = selected.rowCache;
  const doors = `engine, catalog, layout: ${of("layout", "layout")}${cache === undefined ? "" : ", cache"}`;
  const readDoors = keyValue?.doors("reading", doors) ?? doors;
  const readEngine = keyValue?.engineOfReads ?? "engine";
  const indexed = selected.secondaryIndexes !== undefined;
  const relaxed = selected.syncPolicy !== undefined;
  const indexes = indexed ? `, indexes: ${of("secondaryIndexes", "indexes")}` : "";
  return [
    "interface Store {",
    "  readonly engine: StorageEngine;",
    ...(selected.executor === undefined ? [] : ["  readonly executor: Executor;"]),
    ...(keyValue === undefined ? [] : ["  readonly keyValueStore: KeyValueStore;"]),
    ...(relaxed ? ["  /** None with the profile `safe`. */", "  readonly syncPolicy: SyncPolicy | undefined;"] : []),
    "  checkpoint(directory: string): Promise<void>;",
    "  metrics(): Metric[];",
    ...(hasTuning(selected) ? ["  reconfigure(values: KnobValues): void;"] : []),
    "}",
    "",
    "async function openStore(",
    "  env: Env,",
    "  knobs: Knobs,",
    "  dataDirectory: string,",
    "  opened: AsyncDisposableStack,",
    ...(relaxed ? ["  profile: Profile,"] : []),
    "): Promise<Store> {",
    ...(relaxed ? [...walLines(of, knobLines), ...policyLines(contract, of, knobLines)] : []),
    `  const engine = await ${of("engine", "open")}(env, {`,
    "    directory: `${dataDirectory}/engine`,",
    "    selectionHash: formatHash,",
    ...(keyValue?.engineOptions ?? []),
    ...(relaxed ? ["    logDurable: (index) => syncPolicy?.durable(index),"] : []),
    ...knobLines("engine", "    "),
    "  });",
    "  opened.defer(() => engine.close());",
    `  const catalog = ${of("catalog", "create")}({ engine, layout: ${of("layout", "layout")}${indexes} });`,
    ...(cache === undefined ? [] : cacheLines(of("rowCache", "create"), knobLines)),
    ...(keyValue === undefined
      ? [`  const stateMachine = ${of("stateMachine", "create")}({ ${doors}${indexes} });`]
      : keyValue.machine(`${of("stateMachine", "create")}({ ${keyValue.doors("applying", doors)}${indexes} })`)),
    "",
    ...(relaxed ? [] : walLines(of, knobLines)),
    `  const log = ${of("replicatedLog", "open")}(env, { log: wal, stateMachine${relaxed ? ", syncPolicy" : ""} });`,
    "  opened.defer(() => log.close());",
    "  const { replayedEntries } = await log.recover();",
    '  env.log.info("recovered", { replayedEntries, appliedIndex: log.appliedIndex });',
    "",
    ...(keyValue?.store ?? []),
    ...(selected.openTransactions === undefined ? [] : transactionLines(contract, of, indexes, readEngine, knobLines)),
    ...(selected.executor === undefined ? [] : executorLines(selected, readDoors, knobLines)),
    `  const sources = [engine, wal, log${selected.executor === undefined ? "" : ", executor"}` +
      `${cache === undefined ? "" : ", cache"}${keyValue === undefined ? "" : ", keyValueStore"}` +
      `${relaxed ? ", ...(syncPolicy ? [syncPolicy] : [])" : ""}];`,
    "  return {",
    "    engine,",
    ...(selected.executor === undefined ? [] : ["    executor,"]),
    ...(keyValue === undefined ? [] : ["    keyValueStore,"]),
    ...(relaxed ? ["    syncPolicy,"] : []),
    "    metrics: () => sources.flatMap((source) => source.metrics()),",
    ...(hasTuning(selected)
      ? [`    reconfigure: (values) => void engine.setTuning(${of("engine", "tuning")}(values)),`]
      : []),
    "    async checkpoint(directory) {",
    "      await engine.checkpoint(`${directory}/engine`);",
    "      // In the same turn, so that the log has not been truncated beyond what the checkpoint holds.",
    "      const nextSalt = () => env.random.u32();",
    "      const copy = { directory: `${directory}/wal`, selectionHash: formatHash, nextSalt };",
    `      ${of("log", "copy")}(env.disk, wal, engine.durableIndex, copy);`,
    "    },",
    "  };",
    "}",
  ];
}

function executorLines(selected: SelectedParts, doors: string, knobLines: KnobLines): string[] {
  const of = slotsOf(selected);
  const indexed = selected.secondaryIndexes !== undefined;
  return [
    `  const executor = ${of("executor", "create")}({`,
    `    env, ${doors}, log, codec: ${of("stateMachine", "codec")}, parser: ${parserOf(selected)},`,
    ...(indexed ? [`    indexedPlans: ${of("executor", "indexedPlans")}(${of("secondaryIndexes", "indexes")}),`] : []),
    ...(selected.openTransactions === undefined ? [] : ["    transactions,"]),
    ...(selected.syncPolicy === undefined ? [] : ["    flushLog: () => syncPolicy?.durable(wal.lastIndex),"]),
    ...limitLines(knobLines("executor", "      "), "    "),
    "  });",
  ];
}

/** The parser with the rules of what was selected. */
function parserOf(selected: SelectedParts): string {
  const of = slotsOf(selected);
  if (selected.secondaryIndexes === undefined) return of("parser", "parser");
  return `${of("parser", "create")}(${of("secondaryIndexes", "indexes")}.grammar)`;
}

function walLines(of: SlotNames, knobLines: KnobLines): string[] {
  return [
    `  const wal = await ${of("log", "open")}(env, {`,
    "    directory: `${dataDirectory}/wal`,",
    "    selectionHash: formatHash,",
    ...knobLines("log", "    "),
    "  });",
  ];
}

/** Before the engine, whose files must not be ahead of the log. */
function policyLines({ storage }: Contract, of: SlotNames, knobLines: KnobLines): string[] {
  return [
    "  opened.defer(() => wal.close());",
    `  const syncPolicy = profile === "safe" ? undefined : ${of("syncPolicy", "create")}(env, {`,
    "    log: wal,",
    `    lossWindowMs: ${storage.lossWindowMs},`,
    ...knobLines("syncPolicy", "    "),
    "  });",
    '  env.log.info("durability", { profile, lossWindowMs: syncPolicy?.lossWindowMs ?? 0 });',
  ];
}

/** What a key-value store adds to the opening of the store. */
function keyValueLines(contract: Contract, selected: SelectedParts) {
  const of = slotsOf(selected);
  const table = keyValueTableOf(contract.data.tables);
  if (table === undefined) throw new LatheError("INVALID_ARGUMENT", `${contract.name} has no ${keyValueShape}`);
  const [key, value] = table.columns;
  const alone = selected.mysqlSurface === undefined;
  const spec = {
    name: table.name, keyColumn: key.name, keyBytesMax: key.lengthMax,
    valueColumn: value.name, valueBytesMax: value.lengthMax,
  };
  const cache = selected.rowCache === undefined ? "" : " cache,";
  return {
    // Expired rows go by the log's time, so that a replay finds the same.
    engineOptions: ['    expiryTime: "entry",'],
    /** What the parts of SQL get for engine and cache: rows that have expired are hidden from them. */
    doors: (use: "applying" | "reading", doors: string) =>
      alone ? doors : doors.replace("engine", `...sharedRows.${use}`).replace(", cache", ""),
    engineOfReads: alone ? "engine" : "engine: sharedRows.reading.engine",
    machine: (behind: string) => [
      ...(alone ? [] : [
        `  const sharedRows = ${of("keyValueStore", "share")}({`,
        `    engine,${cache} layout: ${of("layout", "layout")}, clock: env.clock,`,
        "  });",
      ]),
      "  const keyValueDoors = {",
      `    engine, catalog, layout: ${of("layout", "layout")},${cache} dropExpired: true,`,
      ...(alone ? [] : ["    sharedRows,"]),
      `    table: ${literal(spec)},`,
      "  };",
      `  const stateMachine = ${of("keyValueStore", "machine")}(keyValueDoors, ${behind});`,
    ],
    store: [
      `  const keyValueStore = ${of("keyValueStore", "open")}({`,
      `    ...keyValueDoors, env, log, machine: stateMachine, codec: ${of("stateMachine", "codec")},`,
      "  });",
      "  await keyValueStore.prepare();",
      "",
    ],
  };
}

function transactionLines(
  { consistency }: Contract,
  of: SlotNames,
  indexes: string,
  engine: string,
  knobLines: KnobLines,
): string[] {
  return [
    `  const steps = ${of("stateMachine", "steps")}({ catalog, layout: ${of("layout", "layout")}${indexes} });`,
    `  const transactions = ${of("openTransactions", "create")}({`,
    `    env, ${engine}, catalog, steps,`,
    ...(consistency.isolation === "snapshot" ? ['    isolation: "snapshot",'] : []),
    ...limitLines(knobLines("openTransactions", "      "), "    "),
    "  });",
  ];
}

function cacheLines(create: string, knobLines: KnobLines): string[] {
  const seed = "    // Keys come from strangers: who does not know the seed cannot aim them at one place.";
  return [
    `  const cache = ${create}({`, ...knobLines("rowCache", "    "), seed, "    seed: env.random.u32(),", "  });",
  ];
}
