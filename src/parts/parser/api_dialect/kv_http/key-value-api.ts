/**
 * The HTTP API of a key-value store: from a request's head to the handler of its route.
 *
 *   1. The token is looked at before the path, so that strangers learn nothing about routes (a path that does not exist
 *   is 401 to them, as in SNDV-KV).
 *   2. The path finds the route, the method its operation: 404, 405 with `Allow`.
 *   3. Bodies are collected up to the route's limit and handed to the handler, or streamed (import).
 * What a handler throws is answered by its code (problem.ts) and, where it is not the sender's fault, logged.
 */
import type { Clock, Logger } from "../../../../kit/env/env.ts";
import type { Metric } from "../../../../kit/metric.ts";
import type {
  HttpAnswer, HttpApplication, HttpExchange, HttpRequest, HttpResponder,
} from "../../../architecture/networking/http-application.ts";
import type { TokenAuthority } from "../../../architecture/security/token-authority.ts";
import type { KeyValueStore } from "../../../concurrency/transaction/key-value-store.ts";
import { Access } from "./access.ts";
import { ExportExchange, type ExportLimits } from "./export-exchange.ts";
import { type Call, type CollectedOperation, type HandlerDoors, handlers, type Health, rangeOf } from "./handlers.ts";
import { ImportExchange } from "./import-exchange.ts";
import type { ApiDescription } from "./openapi.ts";
import { answerOfError, problemAnswer } from "./problem.ts";
import { percentDecode, QueryParameters } from "./query-parameters.ts";
import type { Route } from "./route.ts";
import { type Operation, routes } from "./routes.ts";

export interface KeyValueApiOptions {
  readonly store: KeyValueStore;
  readonly authority: TokenAuthority;
  /** Whether requests without a token are served: only where nobody but this machine can reach the surface. */
  readonly anonymous: boolean;
  readonly about: ApiDescription;
  readonly metrics: () => readonly Metric[];
  /** What /health says; a `status` other than ok is a 503. Default: ok, and that answered means flushed. */
  readonly health?: (() => Health) | undefined;
  /** Of a collected body. Default: 8 MiB. */
  readonly bodyBytesMax?: number | undefined;
  /** How long an export may hold its view of the store. Default: an hour. */
  readonly exportMsMax?: number | undefined;
}

const defaultBodyBytesMax = 8 << 20;
const defaultExportMsMax = 3_600_000;
const healthOfSafe = (): Health => ({ status: "ok", profile: "safe", loss_window_ms: 0 });

export function createKeyValueApi(
  env: { readonly clock: Clock; readonly log: Logger },
  options: KeyValueApiOptions,
): HttpApplication {
  return new KeyValueApi(env, options);
}

interface Found {
  readonly route: Route<Operation>;
  readonly pathKey: Uint8Array | undefined;
}

class KeyValueApi implements HttpApplication {
  readonly #doors: HandlerDoors;
  readonly #log: Logger;
  readonly #access: Access;
  readonly #bodyBytesMax: number;
  readonly #exports: ExportLimits;
  /** By path, then by method. Paths with a key stand under what is before it. */
  readonly #routes = new Map<string, Map<string, Route<Operation>>>();

  constructor(env: { readonly clock: Clock; readonly log: Logger }, options: KeyValueApiOptions) {
    const { store, about, metrics, authority, anonymous, health = healthOfSafe } = options;
    this.#doors = { store, clock: env.clock, about, metrics, health };
    this.#log = env.log;
    this.#access = new Access({ authority, anonymous, clock: env.clock });
    this.#bodyBytesMax = options.bodyBytesMax ?? defaultBodyBytesMax;
    this.#exports = { msMax: options.exportMsMax ?? defaultExportMsMax, running: 0 };
    for (const route of routes) {
      const path = route.path.replace("{key}", "");
      const methods = this.#routes.get(path) ?? new Map<string, Route<Operation>>();
      for (const method of route.methods) methods.set(method, route);
      this.#routes.set(path, methods);
    }
  }

  open(request: HttpRequest, responder: HttpResponder): HttpExchange | HttpAnswer {
    const methods = this.#routes.get(request.path) ?? this.#keyedRoutes(request.path);
    const route = methods?.get(request.method);
    const refusal = this.#access.refusal(request, route?.scope ?? "read");
    if (refusal !== undefined) return refusal;
    if (methods === undefined) return problemAnswer(404, "no such route; /docs lists them");
    if (route === undefined) {
      return problemAnswer(405, "", [["Allow", [...methods.keys()].join(", ")]]);
    }
    try {
      return this.#exchange({ route, pathKey: pathKeyOf(route, request.path) }, request, responder);
    } catch (error) {
      return answerOfError(error);
    }
  }

  metrics(): Metric[] {
    const help = "Requests refused for want of a valid token.";
    return [{ kind: "counter", name: "http_access_refusals_total", help, value: this.#access.refusals }];
  }

  #keyedRoutes(path: string): Map<string, Route<Operation>> | undefined {
    const prefix = path.slice(0, path.indexOf("/", 1) + 1);
    return prefix.length > 1 && path.length > prefix.length ? this.#routes.get(prefix) : undefined;
  }

  #exchange({ route, pathKey }: Found, request: HttpRequest, responder: HttpResponder): HttpExchange {
    const { store, clock } = this.#doors;
    const query = new QueryParameters(request.query);
    const { operation } = route;
    if (operation === "exportItems") {
      return new ExportExchange({ store, clock, limits: this.#exports }, rangeOf(query), responder);
    }
    if (operation === "importItems") return new ImportExchange(store, clock, responder);
    return {
      body: "collect",
      // A body that no route asked for is read over, if it is short.
      bodyBytesMax: route.body === undefined ? 1024 : this.#bodyBytesMax,
      handle: (body) => this.#handle(operation, { doors: this.#doors, request, query, pathKey, body }, responder),
    };
  }

  #handle(operation: CollectedOperation, call: Call, responder: HttpResponder): void {
    try {
      const answer = handlers[operation](call);
      if (!(answer instanceof Promise)) return responder.send(answer);
      answer.then(
        (late) => responder.send(late),
        (error: unknown) => responder.send(this.#answerOf(error, operation)),
      );
    } catch (error) {
      responder.send(this.#answerOf(error, operation));
    }
  }

  #answerOf(error: unknown, operation: Operation): HttpAnswer {
    const answer = answerOfError(error);
    if (answer.status === 500) this.#log.error("http_operation_failed", { operation, error });
    return answer;
  }
}

function pathKeyOf(route: Route, path: string): Uint8Array | undefined {
  const at = route.path.indexOf("{key}");
  return at < 0 ? undefined : percentDecode(path.slice(at), false);
}
