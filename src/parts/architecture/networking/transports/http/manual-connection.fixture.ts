/** An HTTP surface whose other side is the test: it delivers bytes, takes them or leaves them; time is set by hand. */
import type { Clock, Connection, Env, Listener, Network, Timer } from "../../../../../kit/env/env.ts";
import type { HttpApplication, HttpRequest, HttpResponder } from "../../http-application.ts";
import type { Surface } from "../../surface.ts";
import type { HttpLimits } from "./http-limits.ts";
import { openHttpSurface } from "./http-surface.ts";

export class ManualConnection implements Connection {
  readonly remoteAddress = "test";
  /** False: bytes are left unread. */
  taking = true;
  paused = false;
  ended = false;
  destroyed = false;
  bufferedBytes = 0;
  #written: Buffer[] = [];
  #onData: (bytes: Uint8Array) => void = () => {};
  #onDrain: () => void = () => {};
  #onClose: (error: Error | undefined) => void = () => {};

  write(bytes: Uint8Array): boolean {
    this.#written.push(Buffer.from(bytes));
    if (!this.taking) this.bufferedBytes += bytes.length;
    return this.taking;
  }

  onData(handler: (bytes: Uint8Array) => void): void {
    this.#onData = handler;
  }

  onDrain(handler: () => void): void {
    this.#onDrain = handler;
  }

  onClose(handler: (error: Error | undefined) => void): void {
    this.#onClose = handler;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#onClose(undefined);
  }

  /** What was written since the last call, as latin1 text. */
  take(): string {
    return Buffer.concat(this.#written.splice(0)).toString("latin1");
  }

  send(bytes: string | Uint8Array): void {
    this.#onData(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  ask(bytes: string | Uint8Array): string {
    this.send(bytes);
    return this.take();
  }

  /** Takes everything that was left, and goes on taking or not. */
  drain(taking = true): void {
    this.taking = taking;
    this.bufferedBytes = 0;
    this.#onDrain();
  }
}

export class ManualClock implements Clock {
  ms = 1_700_000_000_000;
  #timers: { readonly atMs: number; readonly callback: () => void }[] = [];

  nowMs(): number {
    return this.ms;
  }

  monotonicUs(): number {
    return this.ms * 1000;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { atMs: this.ms + delayMs, callback };
    this.#timers.push(timer);
    const cancel = () => void (this.#timers = this.#timers.filter((other) => other !== timer));
    return { cancel, keepAlive: () => undefined };
  }

  defer(callback: () => void): void {
    this.setTimer(0, callback);
  }

  /** Lets time pass and calls what falls due, in order. */
  advance(byMs: number): void {
    const endMs = this.ms + byMs;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.ms = Math.max(this.ms, due.atMs);
      due.callback();
    }
    this.ms = endMs;
  }
}

/**
 * Answers by path: `/echo` the body, `/later` when the test says so, `/large` 64 KiB, `/stream` pieces until the test
 * ends them, `/sink` how many bytes of a streamed body came, `/throw` by throwing; anything else `ok`.
 */
export class ScriptedApplication implements HttpApplication {
  readonly requests: string[] = [];
  readonly later: ((text: string) => void)[] = [];
  readonly streams: HttpResponder[] = [];
  readonly sinks: HttpResponder[] = [];
  gone = 0;
  readyCalls = 0;
  /** What `/sink` answers to pieces: false pauses. */
  taking = true;
  sunkBytes = 0;

  open(request: HttpRequest, responder: HttpResponder) {
    const { method, path, query } = request;
    this.requests.push(`${method} ${path}${query === "" ? "" : `?${query}`}`);
    const gone = () => void this.gone++;
    if (path === "/refused") return { status: 401, body: "no" };
    if (path === "/sink") {
      this.sinks.push(responder);
      return {
        body: "stream" as const, bodyBytesMax: 1 << 30, gone,
        data: (bytes: Uint8Array) => {
          this.sunkBytes += bytes.length;
          return this.taking;
        },
        end: () => responder.send({ status: 200, body: String(this.sunkBytes) }),
      };
    }
    return {
      body: "collect" as const, bodyBytesMax: 4096, gone,
      ready: () => void this.readyCalls++,
      handle: (body: Uint8Array) => this.#handle(path, body, responder),
    };
  }

  metrics() {
    return [];
  }

  #handle(path: string, body: Uint8Array, responder: HttpResponder): void {
    if (path === "/echo") return responder.send({ status: 200, body: body.slice() });
    if (path === "/large") return responder.send({ status: 200, body: "x".repeat(64 << 10) });
    if (path === "/throw") throw new Error("inside");
    if (path === "/later") return void this.later.push((text) => responder.send({ status: 200, body: text }));
    if (path === "/stream") {
      responder.begin({ status: 200 });
      return void this.streams.push(responder);
    }
    responder.send({ status: 200, body: "ok" });
  }
}

export interface ManualSurface {
  readonly surface: Surface;
  readonly application: ScriptedApplication;
  readonly clock: ManualClock;
  connect(): ManualConnection;
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A surface that listens on a manual network. */
export async function openManualSurface(limits: Partial<HttpLimits> = {}): Promise<ManualSurface> {
  const clock = new ManualClock();
  const application = new ScriptedApplication();
  let accept: ((connection: Connection) => void) | undefined;
  const listener: Listener = { host: "test", port: 1, close: async () => void (accept = undefined) };
  const network: Pick<Network, "listen"> = {
    listen: async (_options, onConnection) => {
      accept = onConnection;
      return listener;
    },
  };
  const surface = openHttpSurface({ clock, log: silent, network } as unknown as Env, { application, limits });
  await surface.listen({ host: "test", port: 1 });
  return {
    surface, application, clock,
    connect() {
      const connection = new ManualConnection();
      accept?.(connection);
      return connection;
    },
  };
}

export function metricOf(surface: Surface, name: string): number | undefined {
  const metric = surface.metrics().find((one) => one.name === name);
  return metric === undefined ? undefined : metric.kind === "histogram" ? metric.count : metric.value;
}

/** Answers of a connection, one after another: status and body. Errors where bytes are left that are no answer. */
export function answersOf(text: string): { readonly status: number; readonly head: string; readonly body: string }[] {
  const answers: { status: number; head: string; body: string }[] = [];
  for (let rest = text; rest !== ""; ) {
    const end = rest.indexOf("\r\n\r\n");
    const match = /^HTTP\/1\.1 (\d{3}) [^\r]*\r\n/.exec(rest);
    if (end < 0 || match === null) throw new Error(`no answer: ${JSON.stringify(rest.slice(0, 80))}`);
    const head = rest.slice(0, end + 2);
    const status = Number(match[1]);
    const length = /\r\nContent-Length: (\d+)\r\n/.exec(head);
    if (length === null && status >= 200 && status !== 204 && status !== 304) throw new Error(`no length: ${head}`);
    const bodyEnd = end + 4 + Number(length?.[1] ?? 0);
    if (bodyEnd > rest.length) throw new Error("an answer is cut");
    answers.push({ status, head, body: rest.slice(end + 4, bodyEnd) });
    rest = rest.slice(bodyEnd);
  }
  return answers;
}
