/**
 * Writes the generated modules of a product: `product.ts` (the wiring), `knobs.ts` (what may be set), `main.ts` and
 * `serve.ts`.
 *
 * They are meant to be read and owned by a person: each part is opened by one visible call, with its knobs by name, in
 * the order in which it is needed; what the contract did not select contributes no line.
 */
import type { Contract } from "../contract/contract.ts";
import { keyValueShape, keyValueTableOf } from "../contract/key-value-table.ts";
import { LatheError } from "../kit/errors.ts";
import type { Knob } from "../knobs/knob.ts";
import type { SelectedParts } from "./composition.ts";
import { formatHashOf } from "./format-hash.ts";
import type { PartDescriptor } from "./part-descriptor.ts";
import { called, filesOfSlots, importsOfSlots, type UsedSlots } from "./part-exports.ts";
import type { Role } from "./role.ts";

const commonEntries = [
  "kit/product.ts", "kit/knob-table.ts", "kit/program-loading.ts", "kit/serve-main.ts", "kit/env/env.ts",
  "kit/env/node-env.ts", "kit/prometheus.ts",
];
/** Of products whose surfaces take statements. */
const statementEntries = ["parts/query_processing/collect-results.ts"];

/** Options that are not named after their knob. */
const optionOfKnob: Readonly<Record<string, string>> = { "row_cache.bytes": "capacityBytes" };

/** Files from which everything that a product needs can be reached, relative to the source root. */
export function wiringEntries(selected: SelectedParts): string[] {
  const ports = Object.values(selected).flatMap((part) => part.provides.map((port) => `parts/${port}`));
  const statements = selected.executor === undefined ? [] : statementEntries;
  return [...commonEntries, ...statements, ...filesOfSlots(selected, usedSlots(selected)), ...ports];
}

/** What the wiring calls: of every role what it needs in this company. */
function usedSlots(selected: SelectedParts): UsedSlots {
  const { secondaryIndexes, openTransactions, mysqlSurface, httpSurface } = selected;
  const slots: Readonly<Record<Role, readonly (string | false)[]>> = {
    engine: ["open", hasTuning(selected) && "tuning"],
    log: ["open", "copy"],
    layout: ["layout"],
    catalog: ["create"],
    stateMachine: ["create", "codec", openTransactions !== undefined && "steps"],
    replicatedLog: ["open"],
    syncPolicy: ["create", mysqlSurface !== undefined && "facts", httpSurface !== undefined && "health"],
    rowCache: ["create"],
    secondaryIndexes: ["indexes"],
    openTransactions: ["create"],
    parser: [secondaryIndexes === undefined ? "parser" : "create"],
    executor: ["create", secondaryIndexes !== undefined && "indexedPlans"],
    keyValueStore: ["machine", "open", mysqlSurface !== undefined && "share"],
    tokenAuthority: ["create"],
    keyValueApi: ["create"],
    httpSurface: ["open"],
    mysqlSurface: ["open"],
    metricsEndpoint: ["open"],
    embeddedLibrary: [],
  };
  return (Object.keys(selected) as Role[]).flatMap((role) =>
    slots[role].flatMap((slot) => (slot === false ? [] : [[role, slot] as const])),
  );
}

/** `knobs.ts`: the table that `resolveKnobs` checks against, and the type of a resolved assignment. */
export function knobsModule(knobs: readonly Knob[]): string {
  const fields = knobs.map((knob) => `  readonly ${JSON.stringify(knob.name)}: ${typeOf(knob)};`);
  const rows = knobs.map((knob) => {
    const { name, type, default: fallback, min, max, choices, constraints } = knob;
    const live = knob.effect === "restart" ? undefined : true;
    return `  ${literal({ name, type, default: fallback, min, max, choices, live, constraints })},`;
  });
  return [
    "/** The knobs of this product: what may be set, within which bounds. Documentation is in `knobs.yaml`. */",
    'import type { KnobDefinition } from "./kit/knob-table.ts";',
    "",
    "export interface Knobs {",
    ...fields,
    "}",
    "",
    "export const knobTable: readonly KnobDefinition[] = [",
    ...rows,
    "];",
    "",
  ].join("\n");
}

/** `main.ts`: makes loading quick before anything else is imported. */
export function mainModule({ name }: Contract): string {
  return [
    `/** Serves ${name} on this machine: \`node main.ts --help\`. */`,
    'import { quickenLoading } from "./kit/program-loading.ts";',
    "",
    "// Before all else: what is imported from here on is compiled once, and not at every start.",
    "quickenLoading(import.meta.dirname);",
    `await import(${JSON.stringify("./serve.ts")});`,
    "",
  ].join("\n");
}

/** `serve.ts`: what `main.ts` runs. */
export function serveModule(contract: Contract, selected: SelectedParts): string {
  const description = descriptionOf(contract);
  const overHttp = selected.httpSurface !== undefined;
  const strict = selected.syncPolicy === undefined;
  const names = [
    "open", "productName", "productVersion", "selectionHash",
    ...(overHttp ? ["issueToken"] : []), ...(strict ? ["fastRefusal"] : []),
  ].sort();
  return [
    `/** What \`main.ts\` runs: ${contract.name} with its knobs, doors to the world, and command line. */`,
    'import { createNodeEnv } from "./kit/env/node-env.ts";',
    'import { serveMain } from "./kit/serve-main.ts";',
    'import { knobTable } from "./knobs.ts";',
    `import { ${names.join(", ")} } from "./product.ts";`,
    "",
    "await serveMain({",
    "  name: productName,",
    `  description: ${JSON.stringify(description)},`,
    "  version: productVersion,",
    "  selectionHash,",
    "  directory: import.meta.dirname,",
    "  knobTable,",
    "  open,",
    "  createEnv: createNodeEnv,",
    ...(strict ? ["  fastRefusal,"] : []),
    ...(overHttp ? httpDefinition(selected) : []),
    "});",
    "",
  ].join("\n");
}

function httpDefinition({ mysqlSurface }: SelectedParts): string[] {
  const surfaces = [...(mysqlSurface === undefined ? [] : ["mysql"]), "http"];
  return [`  surfaces: ${literal(surfaces)},`, "  issueToken,"];
}

/** What a product whose contract allows no loss has beside its constants. */
function refusalLines({ storage }: Contract): string[] {
  const refusal =
    `the contract promises durability ${storage.durability}; a flush before each answer is part of it. ` +
    "To allow losses, put `storage: { durability: interval, loss_window_ms: 50 }` into contract.yaml and build again";
  return [
    "/** Why this product does not run with the profile `fast`. */",
    "export const fastRefusal =",
    `  ${JSON.stringify(refusal)};`,
  ];
}

function descriptionOf(contract: Contract): string {
  return contract.description.trim() || `a database for the workload ${contract.name}`;
}

export function hashLines(selected: SelectedParts, selectionHash: string): string[] {
  return [
    "/** Of the leaves that were built. */",
    `export const selectionHash = ${JSON.stringify(selectionHash)};`,
    "/** Of the parts whose bytes are on disk. Stands in the header of every file; another one is refused. */",
    `export const formatHash = ${JSON.stringify(formatHashOf(selected))};`,
  ];
}

/** `product.ts`. */
export function productModule(
  contract: Contract,
  selected: SelectedParts,
  selectionHash: string,
  knobs: readonly Knob[],
): string {
  const knobLines = (role: Role, indent: string) => optionLines(selected[role], knobs, indent);
  return [
    header(contract, selected),
    ...imports(selected),
    "",
    `export const productName = ${JSON.stringify(contract.name)};`,
    'export const productVersion = "0.1.0";',
    ...hashLines(selected, selectionHash),
    ...(selected.syncPolicy === undefined ? refusalLines(contract) : []),
    "",
    "/** Errors: INVALID_ARGUMENT for knobs; LOCKED, CORRUPTION, FORMAT_UNKNOWN, DISK_FULL, READ_ONLY, IO_ERROR. */",
    "export const open: OpenProduct = async (env, values, { dataDirectory, profile }) => {",
    ...(selected.syncPolicy === undefined
      ? ['  if (profile === "fast") throw new LatheError("INVALID_ARGUMENT", fastRefusal);']
      : []),
    "  const knobs = resolveKnobs(knobTable, values) as unknown as Knobs;",
    "  env.disk.makeDirectory(dataDirectory);",
    "  // Closes in reverse order what was opened, also where a later step fails.",
    "  const opened = new AsyncDisposableStack();",
    "  try {",
    "    const lock = env.disk.lock(dataDirectory);",
    "    opened.defer(() => lock.release());",
    selected.syncPolicy === undefined
      ? "    const store = await openStore(env, knobs, dataDirectory, opened);"
      : '    const store = await openStore(env, knobs, dataDirectory, opened, profile ?? "fast");',
    "    return new WiredProduct(env, knobs, store, opened);",
    "  } catch (error) {",
    "    await opened.disposeAsync();",
    "    throw error;",
    "  }",
    "};",
    "",
    ...storeFunction(contract, selected, knobLines),
    "",
    ...(selected.tokenAuthority === undefined ? [] : issueTokenFunction(slotsOf(selected))),
    ...productClass(contract, selected, knobLines),
    "",
  ].join("\n");
}

function header(contract: Contract, selected: SelectedParts): string {
  const first = selected.executor === undefined ? "surface → key-value store" : "surface → executor";
  const [written, read] = selected.rowCache === undefined ? ["", ""] : [", row cache", "row cache → "];
  const flushed = selected.syncPolicy === undefined ? "flushed" : "flushed within the loss window";
  return `/**
 * The wiring of ${contract.name}: which parts it has and how they hang together.
 *
 * Generated by Lathe from \`contract.yaml\`; yours to change.
 *   write   ${first} → replicated log (the write-ahead log, ${flushed}) → state machine → engine${written}
 *   read    ${first} → ${read}engine
 * A start opens the engine, replays what the log holds beyond it, and only then binds the surfaces.
 */`;
}

function imports(selected: SelectedParts): string[] {
  const relaxed = selected.syncPolicy !== undefined;
  const tuned = hasTuning(selected) ? "KnobValues, " : "";
  const door = selected.executor === undefined ? "KeyValueDoor, " : "";
  const lines = [
    'import type { Env } from "./kit/env/env.ts";',
    ...(refuses(selected) ? ['import { LatheError } from "./kit/errors.ts";'] : []),
    'import { resolveKnobs } from "./kit/knob-table.ts";',
    'import type { Metric } from "./kit/metric.ts";',
    "import type {",
    `  BoundPorts, ${door}${tuned}OpenProduct, Product, ${relaxed ? "Profile, " : ""}QueryResult, ServeOptions,`,
    '} from "./kit/product.ts";',
    ...(selected.tokenAuthority === undefined
      ? []
      : ['import type { TokenRequest } from "./kit/serve-arguments.ts";']),
    'import { type Knobs, knobTable } from "./knobs.ts";',
  ];
  const ports: [string, string][] = [
    ["./parts/architecture/networking/surface.ts", "type { Surface }"],
    ["./parts/storage/engine.ts", "type { StorageEngine }"],
    ...(selected.executor === undefined ? [] : statementPorts),
    ...(relaxed ? [["./parts/recovery/sync-policy.ts", "type { SyncPolicy }"] as [string, string]] : []),
    ...(selected.keyValueStore === undefined
      ? []
      : [["./parts/concurrency/transaction/key-value-store.ts", "type { KeyValueStore }"] as [string, string]]),
    ...(selected.tokenAuthority === undefined
      ? []
      : [["./parts/architecture/security/token-authority.ts", "type { TokenScope }"] as [string, string]]),
  ];
  const parts = importsOfSlots(selected, usedSlots(selected));
  const sorted = [...parts, ...ports].sort(([one], [other]) => (one < other ? -1 : 1));
  return [...lines, ...sorted.map(([path, names]) => `import ${names} from "${path}";`)];
}

const statementPorts: readonly [string, string][] = [
  ["./parts/query_processing/collect-results.ts", "{ collectResults }"],
  ["./parts/query_processing/executor.ts", "type { Executor }"],
];

/** Whether something that a product can be asked for is not there: the profile `fast`, metrics, SQL. */
function refuses({ syncPolicy, metricsEndpoint, executor }: SelectedParts): boolean {
  return syncPolicy === undefined || metricsEndpoint === undefined || executor === undefined;
}

/** Whether the engine has options that change while it is open. */
function hasTuning({ engine }: SelectedParts): boolean {
  return engine?.exports.tuning !== undefined;
}

type SlotNames = (role: Role, slot: string) => string;

export function slotsOf(selected: SelectedParts): SlotNames {
  return (role, slot) => called(selected, role, slot);
}

/** The parser with the rules of what was selected. */
function parserOf(selected: SelectedParts): string {
  const of = slotsOf(selected);
  if (selected.secondaryIndexes === undefined) return of("parser", "parser");
  return `${of("parser", "create")}(${of("secondaryIndexes", "indexes")}.grammar)`;
}

type KnobLines = (role: Role, indent: string) => string[];

function storeFunction(contract: Contract, selected: SelectedParts, knobLines: KnobLines): string[] {
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

const issueTokenFunction = (of: SlotNames): string[] => [
  "/** A token for the HTTP surface. Errors: INVALID_ARGUMENT. */",
  "export function issueToken(secret: Uint8Array, request: TokenRequest, nowMs: number): string {",
  "  const { subject, days } = request;",
  "  const scopes = request.scopes as readonly TokenScope[];",
  "  const claims = { subject, scopes, issuedAtMs: nowMs, expiresAtMs: nowMs + days * 86_400_000 };",
  `  return ${of("tokenAuthority", "create")}(secret).issue(claims);`,
  "}",
  "",
];

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

function productClass(contract: Contract, selected: SelectedParts, knobLines: KnobLines): string[] {
  const overMysql = selected.mysqlSurface !== undefined;
  const overHttp = selected.httpSurface !== undefined;
  const bound = selected.metricsEndpoint === undefined ? "metricsPort: undefined" : "metricsPort";
  return [
    "class WiredProduct implements Product {",
    "  readonly name = productName;",
    "  readonly #env: Env;",
    "  readonly #knobs: Knobs;",
    "  readonly #store: Store;",
    "  readonly #opened: AsyncDisposableStack;",
    "  readonly #surfaces: Surface[] = [];",
    "",
    "  constructor(env: Env, knobs: Knobs, store: Store, opened: AsyncDisposableStack) {",
    "    this.#env = env;",
    "    this.#knobs = knobs;",
    "    this.#store = store;",
    "    this.#opened = opened;",
    "  }",
    "",
    "  async serve(options: ServeOptions): Promise<BoundPorts> {",
    "    const { host } = options;",
    ...metricsPortLines(selected),
    ...(overMysql
      ? ["    const mysql = this.#openMysql(options);",
        "    const at = { host, port: options.mysqlPort ?? 0, socketPath: options.mysqlSocket };",
        "    const { port: mysqlPort } = await mysql.listen(at);"]
      : []),
    ...(overHttp
      ? ["    const http = this.#openHttp(options);",
        "    const { port: httpPort } = await http.listen({ host, port: options.httpPort ?? 0 });"]
      : []),
    `    return { ${overMysql ? "mysqlPort, " : ""}${overHttp ? "httpPort, " : ""}${bound} };`,
    "  }",
    "",
    ...(overMysql ? openMysqlMethod(selected, knobLines) : []),
    ...(overHttp ? openHttpMethod(contract, selected, knobLines) : []),
    ...(hasTuning(selected) ? reconfigureMethod : []),
    ...productMethods(selected),
    "}",
  ];
}

function openMysqlMethod(selected: SelectedParts, knobLines: KnobLines): string[] {
  const { syncPolicy } = selected;
  const of = slotsOf(selected);
  const limits = knobLines("mysqlSurface", "        ");
  return [
    "  #openMysql({ user, password, tls }: ServeOptions): Surface {",
    ...(limits.length === 0 ? [] : ["    const knobs = this.#knobs;"]),
    `    const surface = ${of("mysqlSurface", "open")}(this.#env, {`,
    "      executor: this.#store.executor,",
    `      layout: ${of("layout", "layout")},`,
    "      credentials: { user, password },",
    "      tls,",
    ...(syncPolicy === undefined ? [] : [`      facts: ${of("syncPolicy", "facts")}(this.#store.syncPolicy),`]),
    ...limitLines(limits, "      "),
    "    });",
    "    return this.#opening(surface);",
    "  }",
    "",
  ];
}

function openHttpMethod(contract: Contract, selected: SelectedParts, knobLines: KnobLines): string[] {
  const { syncPolicy } = selected;
  const of = slotsOf(selected);
  const about = JSON.stringify(descriptionOf(contract));
  return [
    "  #openHttp({ access, tls }: ServeOptions): Surface {",
    "    const knobs = this.#knobs;",
    "    // Who opens a product by code and gives no secret gets one for this run: nobody has a token for it.",
    "    const tokenSecret = access?.tokenSecret ?? this.#env.random.bytes(32);",
    `    const application = ${of("keyValueApi", "create")}(this.#env, {`,
    "      store: this.#store.keyValueStore,",
    `      authority: ${of("tokenAuthority", "create")}(tokenSecret),`,
    "      anonymous: access !== undefined && !access.tokenRequired,",
    `      about: { title: productName, version: productVersion, description: ${about} },`,
    "      metrics: () => this.metrics(),",
    ...(syncPolicy === undefined ? [] : [`      health: () => ${of("syncPolicy", "health")}(this.#store.syncPolicy),`]),
    ...knobLines("keyValueApi", "      "),
    "    });",
    `    const surface = ${of("httpSurface", "open")}(this.#env, {`,
    "      application,",
    "      tls,",
    ...limitLines(knobLines("httpSurface", "        "), "      "),
    "    });",
    "    return this.#opening(surface);",
    "  }",
    "",
  ];
}

const reconfigureMethod: readonly string[] = [
  "  reconfigure(values: KnobValues): void {",
  "    this.#store.reconfigure(values);",
  "  }",
  "",
];

const parserLeaf = "parser/implementation/recursive_descent";
const metricsLeaf = "architecture/observability/metrics_endpoint";

function metricsPortLines({ metricsEndpoint }: SelectedParts): string[] {
  if (metricsEndpoint === undefined) {
    return [
      "    if (options.metricsPort !== undefined) {",
      `      throw new LatheError("NOT_SELECTED", "metrics need the leaf ${metricsLeaf}");`,
      "    }",
    ];
  }
  return [
    "    // Metrics first: whoever sees the main port open may scrape.",
    "    const metricsPort = options.metricsPort === undefined",
    "      ? undefined",
    "      : await this.#serveMetrics(host, options.metricsPort);",
  ];
}

function serveMetricsMethod(of: SlotNames): string[] {
  return [
    "",
    "  async #serveMetrics(host: string, port: number): Promise<number> {",
    `    const endpoint = ${of("metricsEndpoint", "open")}(this.#env, { metrics: () => this.metrics() });`,
    "    this.#opened.defer(() => endpoint.close());",
    "    return (await endpoint.listen({ host, port })).port;",
    "  }",
  ];
}

/** The door in the server's own process: statements where a part reads them, keys where none does. */
function queryMethod(selected: SelectedParts): string[] {
  if (selected.executor === undefined) {
    return [
      "  async query(): Promise<QueryResult[]> {",
      `    throw new LatheError("NOT_SELECTED", "SQL needs the leaf ${parserLeaf}, which is not in this product");`,
      "  }",
      "",
      "  get keyValues(): KeyValueDoor {",
      "    return this.#store.keyValueStore;",
      "  }",
      "",
    ];
  }
  return [
    "  query(sql: string): Promise<QueryResult[]> {",
    `    return collectResults(this.#store.executor, ${called(selected, "layout", "layout")}, sql);`,
    "  }",
    "",
  ];
}

/** What hardly depends on the selection. */
const productMethods = (selected: SelectedParts): string[] => [
  ...queryMethod(selected),
  "  metrics(): Metric[] {",
  "    return [...this.#store.metrics(), ...this.#surfaces.flatMap((surface) => surface.metrics())];",
  "  }",
  "",
  "  checkpoint(directory: string): Promise<void> {",
  "    return this.#store.checkpoint(directory);",
  "  }",
  "",
  "  async rewrite(): Promise<void> {",
  "    await this.#store.engine.flush();",
  "    await this.#store.engine.compactAll();",
  "  }",
  "",
  "  settle(): Promise<void> {",
  "    return this.#store.engine.settle();",
  "  }",
  "",
  "  async drain(timeoutMs: number): Promise<void> {",
  "    await Promise.all(this.#surfaces.map((surface) => surface.drain(timeoutMs)));",
  "  }",
  "",
  "  close(): Promise<void> {",
  "    return this.#opened.disposeAsync();",
  "  }",
  "",
  "  #opening(surface: Surface): Surface {",
  "    this.#opened.defer(() => surface.close());",
  "    this.#surfaces.push(surface);",
  "    return surface;",
  "  }",
  ...(selected.metricsEndpoint === undefined ? [] : serveMetricsMethod(slotsOf(selected))),
];

/** `limits: { … }` around the lines of knobs, or nothing. */
function limitLines(lines: readonly string[], indent: string): string[] {
  return lines.length === 0 ? [] : [`${indent}limits: {`, ...lines, `${indent}},`];
}

export function optionLines(part: PartDescriptor | undefined, knobs: readonly Knob[], indent: string): string[] {
  const names = new Set(part?.knobs ?? []);
  return knobs
    .filter((knob) => names.has(knob.name))
    .map((knob) => `${indent}${optionName(knob.name)}: knobs[${JSON.stringify(knob.name)}],`);
}

function optionName(knob: string): string {
  const noun = knob.slice(knob.indexOf(".") + 1);
  return optionOfKnob[knob] ?? noun.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function typeOf(knob: Knob): string {
  if (knob.type === "boolean") return "boolean";
  if (knob.type !== "choice") return "number";
  return (knob.choices ?? []).map((choice) => JSON.stringify(choice)).join(" | ");
}

/** A value as TypeScript source on one line, without fields that are undefined. */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return `{ ${fields.map(([key, inner]) => `${key}: ${literal(inner)}`).join(", ")} }`;
}
