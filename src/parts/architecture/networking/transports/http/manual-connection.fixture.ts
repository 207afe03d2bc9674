/** An HTTP surface whose other side is the test: it delivers bytes, takes them or leaves them; time is set by hand. */
import type { Env } from "../../../../../kit/env/env.ts";
import type { HttpApplication, HttpRequest, HttpResponder } from "../../http-application.ts";
import { ManualClock } from "../../manual-clock.fixture.ts";
import { ManualConnection, ManualNetwork } from "../../manual-network.fixture.ts";
import type { Surface } from "../../surface.ts";
import type { HttpLimits } from "./http-limits.ts";
import { openHttpSurface } from "./http-surface.ts";

/** What goes over it is latin1 text, or bytes. */
export class HttpManualConnection extends ManualConnection {
  /** What was written since the last call, as latin1 text. */
  take(): string {
    return this.takeBytes().toString("latin1");
  }

  send(bytes: string | Uint8Array): void {
    this.deliver(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  ask(bytes: string | Uint8Array): string {
    this.send(bytes);
    return this.take();
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
  connect(): HttpManualConnection;
  backlog(): number;
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A surface that listens on a manual network. */
export async function openManualSurface(limits: Partial<HttpLimits> = {}): Promise<ManualSurface> {
  const clock = new ManualClock();
  const application = new ScriptedApplication();
  const network = new ManualNetwork();
  const surface = openHttpSurface({ clock, log: silent, network } as unknown as Env, { application, limits });
  await surface.listen({ host: "test", port: 1 });
  return {
    surface, application, clock,
    connect: () => network.connect(new HttpManualConnection()),
    backlog: () => network.backlog,
  };
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
