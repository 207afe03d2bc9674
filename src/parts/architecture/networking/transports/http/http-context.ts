/** What all connections of one HTTP surface share, and what one connection asks of the side that moves its bytes. */
import type { Clock, Logger, TlsIdentity } from "../../../../../kit/env/env.ts";
import type { HttpApplication } from "../../http-application.ts";
import { SharedBudget } from "../../shared-budget.ts";
import { HttpDateClock } from "./http-date.ts";
import { type HttpLimits, resolveHttpLimits } from "./http-limits.ts";
import { HttpMetrics } from "./http-metrics.ts";

export interface HttpSurfaceOptions {
  readonly application: HttpApplication;
  readonly limits?: Partial<HttpLimits> | undefined;
  /** HTTPS is spoken on the same port, to clients that begin so; with `required` to those alone. */
  readonly tls?: { readonly identity: TlsIdentity; readonly required: boolean } | undefined;
}

export interface HttpContext {
  readonly application: HttpApplication;
  readonly limits: HttpLimits;
  readonly tls: HttpSurfaceOptions["tls"];
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: HttpMetrics;
  readonly date: HttpDateClock;
  /** Memory for unfinished heads and bodies of all connections. */
  readonly inbound: SharedBudget;
  /** Answers that slow readers leave unread. */
  readonly outbound: SharedBudget;
}

/** The side of a connection that moves bytes. */
export interface HttpHost {
  /** Sends bytes that nobody changes afterwards. */
  send(bytes: Uint8Array): void;
  /** Whether the peer leaves so much unread that it must not be served on; `proceed` is called when it has read. */
  blocked(): boolean;
  /** Calls `proceed` in a later turn, when others have had theirs. */
  yieldTurn(): void;
  /** The state has changed outside of `receive`: reading may have to pause, go on or end. */
  settled(): void;
}

export function createHttpContext(
  env: { readonly clock: Clock; readonly log: Logger },
  options: HttpSurfaceOptions,
): HttpContext {
  const limits = resolveHttpLimits(options.limits);
  return {
    application: options.application,
    limits,
    tls: options.tls,
    clock: env.clock,
    log: env.log,
    metrics: new HttpMetrics(),
    date: new HttpDateClock(),
    inbound: new SharedBudget(limits.inboundBytesMax),
    outbound: new SharedBudget(limits.outboundBytesMax),
  };
}
