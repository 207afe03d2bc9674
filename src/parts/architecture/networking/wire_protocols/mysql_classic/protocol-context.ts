/**
 * What all connections of one surface share, and what one connection asks of the side that moves
 * its bytes.
 */
import type { Clock, Logger, Random, TlsIdentity } from "../../../../../kit/env/env.ts";
import type { Executor } from "../../../../query_processing/executor.ts";
import type { RowLayout } from "../../../../storage/layout/row-layout.ts";
import type { Credentials } from "../../surface.ts";
import { Authenticator } from "./authentication.ts";
import type { AuthenticationOptions } from "./authentication.ts";
import { ConnectionRegistry } from "./connection-registry.ts";
import { resolveLimits } from "./limits.ts";
import type { MysqlLimits } from "./limits.ts";
import { OutputSlab } from "./output-buffer.ts";
import { PacketReader } from "./packet-reader.ts";
import { EncodedShapes } from "./result-shape.ts";
import { SharedBudget } from "../../shared-budget.ts";
import { SurfaceMetrics } from "./surface-metrics.ts";

export interface MysqlSurfaceOptions {
  readonly executor: Executor;
  readonly credentials: Credentials;
  readonly layout: RowLayout;
  readonly limits?: Partial<MysqlLimits> | undefined;
  readonly authentication?: AuthenticationOptions | undefined;
  /** What clients are told; those that look for features by version must find MySQL 8. */
  readonly serverVersion?: string | undefined;
  /** Without an identity there is no TLS, and no listening beyond loopback. */
  readonly tls?: TlsOptions | undefined;
  /** What the product says of itself to SHOW VARIABLES and SHOW STATUS, beside what the surface does. */
  readonly facts?: ProductFacts | undefined;
}

export interface ProductFacts {
  readonly variables: () => Iterable<readonly [string, bigint | string]>;
  readonly status: () => Iterable<readonly [string, bigint | string]>;
}

export interface TlsOptions {
  readonly identity: TlsIdentity;
  /** Refuse clients that come without; beyond loopback they are refused in any case. */
  readonly required: boolean;
}

export interface ProtocolContext {
  readonly executor: Executor;
  readonly layout: RowLayout;
  readonly limits: MysqlLimits;
  readonly authenticator: Authenticator;
  readonly serverVersion: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: SurfaceMetrics;
  readonly tls: TlsOptions | undefined;
  readonly facts: ProductFacts | undefined;
  readonly shapes: EncodedShapes;
  readonly slab: OutputSlab;
  /** Prepared statements of all connections. */
  readonly statements: SharedBudget;
  /** Bytes that they are taken to need. */
  readonly statementBytes: SharedBudget;
  /** Bytes of results that clients have not taken. */
  readonly unsent: SharedBudget;
  /** Memory for half-sent packets and long data of all connections. */
  readonly inbound: SharedBudget;
  readonly startedMs: number;
  readonly connections: ConnectionRegistry;
  /** Reads one packet at a time, for whichever connection has its turn. */
  readonly reader: PacketReader;
}

/** The side of a connection that moves bytes. */
export interface ProtocolHost {
  /** Where the client is: address and port. */
  readonly remoteAddress: string;
  /** Sends bytes; true where they may be changed afterwards. */
  send(bytes: Uint8Array): boolean;
  /** Bytes sent that the peer has not taken. */
  unsentBytes(): number;
  /** Whether the surface holds more unsent bytes than it may. */
  unsentTooMuch(): boolean;
  /**
   * Whether the peer leaves so much unread that it must not be served on; `proceed` is called when
   * it has read.
   */
  blocked(): boolean;
  /** Called when a statement that had to wait has been answered, and everything behind it that could be. */
  settled(): void;
  /** Goes on under TLS; `received` are the bytes behind the request for it. */
  startTls(received: Uint8Array): void;
  /** Closes at once, unheard. */
  destroy(): void;
}

const defaultServerVersion = "8.4.0-lathe";

export function createProtocolContext(
  env: { readonly clock: Clock; readonly random: Random; readonly log: Logger },
  options: MysqlSurfaceOptions,
): ProtocolContext {
  const limits = resolveLimits(options.limits);
  const randomBytes = (length: number) => env.random.bytes(length);
  return {
    executor: options.executor,
    layout: options.layout,
    limits,
    authenticator: new Authenticator(options.credentials, randomBytes, options.authentication),
    serverVersion: options.serverVersion ?? defaultServerVersion,
    clock: env.clock,
    random: env.random,
    log: env.log,
    metrics: new SurfaceMetrics(),
    tls: options.tls,
    facts: options.facts,
    shapes: new EncodedShapes(),
    slab: new OutputSlab(),
    statements: new SharedBudget(limits.statementsTotalMax),
    statementBytes: new SharedBudget(limits.statementBytesTotalMax),
    unsent: new SharedBudget(limits.resultBufferBytesTotalMax),
    inbound: new SharedBudget(limits.inboundBytesMax),
    startedMs: env.clock.nowMs(),
    connections: new ConnectionRegistry(),
    reader: new PacketReader(Buffer.alloc(0)),
  };
}
