/**
 * Surface: a protocol server in front of an executor.
 *
 * Contract: binds to loopback unless told otherwise; requires authentication; every connection, packet,
 * statement and buffer has a stated limit; `drain` stops accepting, lets running statements end, then
 * closes.
 */
import type { Metric } from "../../../kit/metric.ts";

export interface ListenAt {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** A Unix-domain socket beside the port, where the protocol has clients that use one. */
  readonly socketPath?: string | undefined;
}

export interface Surface {
  listen(options: ListenAt): Promise<{ port: number }>;
  drain(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
  metrics(): Metric[];
}

/** User and verifier; the password itself is not kept longer than a protocol's scramble needs. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}
