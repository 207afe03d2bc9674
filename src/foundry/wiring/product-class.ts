/** Writes the class of `product.ts`: the surfaces over the store, and what a product is asked for from outside. */
import type { Contract } from "../../contract/contract.ts";
import type { SelectedParts } from "../composition.ts";
import { called } from "../part-exports.ts";
import { descriptionOf } from "./main-module.ts";
import { type KnobLines, limitLines } from "./option-lines.ts";
import { hasTuning, type SlotNames, slotsOf } from "./slots.ts";

export function productClass(contract: Contract, selected: SelectedParts, knobLines: KnobLines): string[] {
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
