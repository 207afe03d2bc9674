/** What a route is: the row of a table from which requests are dispatched, OpenAPI and the documentation are made. */
import type { TokenScope } from "../../../architecture/security/token-authority.ts";

/** Part of JSON Schema, as far as routes need it. */
export type Schema = Readonly<Record<string, unknown>>;

export interface RouteParameter {
  readonly name: string;
  readonly place: "query" | "path" | "header";
  readonly text: string;
  readonly schema: Schema;
  readonly required?: boolean;
}

export interface RouteBody {
  /** `stream`: of any length, used as it comes. */
  readonly kind: "collect" | "stream";
  readonly text: string;
  /** By media type. */
  readonly content: Readonly<Record<string, Schema>>;
}

export interface RouteAnswer {
  readonly text: string;
  readonly content?: Readonly<Record<string, Schema>>;
}

export interface Route<Operation extends string = string> {
  /** Name of the handler; unique. */
  readonly operation: Operation;
  readonly methods: readonly string[];
  /** With at most one `{name}`, as its last segment. */
  readonly path: string;
  /** What a token must allow; `none`: no token is asked for. */
  readonly scope: TokenScope | "none";
  readonly summary: string;
  readonly parameters?: readonly RouteParameter[];
  readonly body?: RouteBody;
  readonly answers: Readonly<Record<number, RouteAnswer>>;
}
