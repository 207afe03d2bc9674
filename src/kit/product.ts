/**
 * What every assembled product looks like from outside: `product.ts` exports `open(env, knobs, options)`.
 * The workshop (gates, fleet, bench) loads a product through this interface only, with its own Env.
 */
import type { Env, TlsIdentity } from "./env/env.ts";
import type { KnobValues as Values } from "./knob-values.ts";
import type { Metric } from "./metric.ts";

export type KnobValues = Values;

export interface ProductOptions {
  /** Where the data live; created where missing. */
  dataDirectory: string;
  /** `safe`: answered means flushed. `fast` only where the contract allows losses. Default: what the contract says. */
  profile?: Profile | undefined;
}

export type Profile = "safe" | "fast";

export interface ServeOptions {
  host: string;
  /** For products with a MySQL surface. 0 lets the system choose. */
  mysqlPort?: number | undefined;
  /** Of the MySQL surface: a Unix-domain socket beside the port. Undefined: none. */
  mysqlSocket?: string | undefined;
  /** For products with an HTTP surface. 0 lets the system choose. */
  httpPort?: number | undefined;
  /** Undefined: no metrics endpoint. 0 lets the system choose. */
  metricsPort?: number | undefined;
  /** Of the MySQL surface. */
  user: string;
  password: string;
  /** Of the HTTP surface: the secret that its tokens are signed with, and whether every request needs one. */
  access?: { readonly tokenSecret: Uint8Array; readonly tokenRequired: boolean } | undefined;
  /** Undefined: none, and no listening beyond loopback, where clients must use it. */
  tls?: { readonly identity: TlsIdentity; readonly required: boolean } | undefined;
}

/** Where a product listens; undefined for surfaces that it does not have. */
export interface BoundPorts {
  readonly mysqlPort?: number | undefined;
  readonly httpPort?: number | undefined;
  readonly metricsPort: number | undefined;
}

export interface Product {
  readonly name: string;
  /** Binds the surfaces; resolves when they accept connections. Errors: ADDRESS_IN_USE. */
  serve(options: ServeOptions): Promise<BoundPorts>;
  /**
   * Runs SQL text in this process, past every surface: the way of embedded use, and of gates. One
   * result per statement. Rejects with the statement's error; NOT_SELECTED where no part reads SQL.
   */
  query(sql: string): Promise<QueryResult[]>;
  /** Of products without SQL: what their key-value surface asks, in this process. */
  readonly keyValues?: KeyValueDoor;
  metrics(): Metric[];
  /**
   * Changes knobs that are live, all or none, while statements run. Errors: INVALID_ARGUMENT, naming what is wrong or
   * cannot change. A product without it has no live knobs.
   */
  reconfigure?(knobs: KnobValues): void;
  /**
   * Writes out what is in memory and compacts every level with the present knobs; used to prepare
   * checkpoints.
   */
  rewrite(): Promise<void>;
  /**
   * Makes an openable copy of the data in an empty or missing directory on the same file system, cheaply, while
   * statements run: it holds everything that was acknowledged before the call.
   */
  checkpoint?(directory: string): Promise<void>;
  /** Resolves when no background work is left. */
  settle(): Promise<void>;
  /** Stops accepting, lets running statements end within `timeoutMs`, then closes. */
  drain(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

/** The rows behind a key-value surface. Bytes handed out are valid until the next call. */
export interface KeyValueDoor {
  readonly keyBytesMax: number;
  readonly valueBytesMax: number;
  /** Errors: CORRUPTION. */
  get(key: Uint8Array): { readonly value: Uint8Array } | undefined;
  /** All or none, durable before it resolves; `refused`: a condition did not hold. Without a value a key is deleted. */
  write(changes: readonly KeyValueWrite[]): Promise<{ readonly kind: "written" | "refused" }>;
  /** In key order, until the visitor returns false. Errors: CORRUPTION. */
  scan(
    range: { readonly prefix?: Uint8Array },
    visit: (item: { readonly key: Uint8Array; readonly value: Uint8Array }) => boolean,
  ): void;
}

export interface KeyValueWrite {
  readonly key: Uint8Array | string;
  readonly value: Uint8Array | string | undefined;
  readonly condition?: "absent" | "present" | undefined;
}

export interface QueryResult {
  /** Names of the columns; empty for statements without rows. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (bigint | number | string | Uint8Array | null)[])[];
  readonly affectedRows: number;
}

export type OpenProduct = (env: Env, knobs: KnobValues, options: ProductOptions) => Promise<Product>;
