/**
 * Access gate over HTTP: no token opens more than its scopes, on any route.
 *
 * Steps:
 *   1. The routes are those of the product's own `/openapi.json`; what each needs is known here, by method and path,
 *      and a route that is not known here is refused: nobody has said who may use it.
 *   2. On every route: a forged token, one that is no token, and each of the scopes. A forged one is 401 whatever the
 *      path; a scope too narrow 403; enough is anything else.
 *   3. Requests of a browser's page (with an Origin, or under a foreign Host) without a token are 403, but where the
 *      route is open to everybody.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Gate, GateSubject, GateVerdict } from "../gate.ts";
import { verdictOf } from "../run-gates.ts";
import { HttpGateConnection, startHttpSubject } from "./http-subject.ts";

const name = "http-access";
const methods = ["get", "post", "put", "delete"] as const;

type Needed = "read" | "write" | "none";

/** What each route needs; a method that is not here needs what its kind says. */
const neededScopes: Readonly<Record<string, Needed>> = {
  "/put": "write", "/batch": "write", "/delete": "write", "/batch/delete": "write", "/import": "write",
  "/get": "read", "/batch/get": "read", "/scan": "read", "/export": "read", "/metrics": "read",
  "/health": "none", "/openapi.json": "none", "/docs": "none",
};

function neededScope(path: string, method: string): Needed | undefined {
  if (path === "/kv/{key}") return method === "get" ? "read" : "write";
  return neededScopes[path];
}

export function httpAccessGate(): Gate {
  return {
    name,
    description: "tokens on every route: forged ones, every scope, pages of browsers",
    stage: "product",
    timeoutMs: 90_000,
    run: runAccess,
  };
}

interface Route {
  readonly method: string;
  readonly path: string;
  readonly needed: Needed;
}

async function runAccess(subject: GateSubject): Promise<GateVerdict> {
  const verdict = verdictOf(name, performance.now());
  const server = await startHttpSubject(subject);
  try {
    const tokens = new Map<string, string>();
    for (const scope of ["read", "write", "admin"]) tokens.set(scope, await makeToken(subject, scope));
    const first = await HttpGateConnection.open(server);
    const { routes, unknown } = await routesOf(first);
    first.close();
    if (unknown !== undefined) return verdict.reject(`nobody has said who may use ${unknown}`, {});
    let requests = 0;
    for (const route of routes) {
      for (const { fields, wanted, who } of attempts(route, tokens)) {
        requests++;
        const target = route.path.replace("{key}", "a");
        // A connection for each: some answers end it.
        const connection = await HttpGateConnection.open(server);
        const { status } = await connection.send(route.method.toUpperCase(), `${target}?key=a`, fields);
        connection.close();
        const isRefused = status === 401 || status === 403;
        if (wanted === undefined ? !isRefused : status === wanted) continue;
        const told = `${route.method.toUpperCase()} ${route.path} with ${who} was answered with ${status}`;
        return verdict.reject(`${told}${wanted === undefined ? "" : ` instead of ${wanted}`}`, { requests });
      }
    }
    const counts = `${requests} requests on ${routes.length} routes`;
    return verdict.admit(`${counts}: no token opens more than its scopes`, { requests });
  } finally {
    await server.kill();
  }
}

/** Requests of a route, and the status that each must have; undefined: any but a refusal. */
function attempts({ needed }: Route, tokens: ReadonlyMap<string, string>) {
  const open = needed === "none";
  const forged = (tokens.get("admin") ?? "").replace(/.$/, (last) => (last === "A" ? "Q" : "A"));
  const refusal = (status: number) => (open ? undefined : status);
  const bearer = (token: string) => [`Authorization: Bearer ${token}`];
  return [
    { who: "a forged token", fields: bearer(forged), wanted: refusal(401) },
    { who: "no valid token", fields: bearer("lathe1.e30.AA"), wanted: refusal(401) },
    { who: "a page of a browser", fields: ["Origin: http://elsewhere.example"], wanted: refusal(403) },
    ...[...tokens].map(([scope, token]) => {
      const enough = open || scope === needed || scope === "admin";
      return { who: `a token to ${scope}`, fields: bearer(token), wanted: enough ? undefined : 403 };
    }),
  ];
}

async function routesOf(connection: HttpGateConnection): Promise<{ routes: Route[]; unknown?: string }> {
  const { body } = await connection.send("GET", "/openapi.json", []);
  const { paths } = JSON.parse(body.toString()) as { paths: Readonly<Record<string, Record<string, unknown>>> };
  const routes: Route[] = [];
  for (const [path, operations] of Object.entries(paths)) {
    for (const method of methods.filter((one) => one in operations)) {
      const needed = neededScope(path, method);
      if (needed === undefined) return { routes, unknown: `${method.toUpperCase()} ${path}` };
      routes.push({ method, path, needed });
    }
  }
  return { routes };
}

/** As the owner of the data directory makes one. */
async function makeToken(subject: GateSubject, scope: string): Promise<string> {
  const main = join(subject.productDirectory, "main.js");
  const data = join(subject.workDirectory, "data");
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [main, "--data", data, "--make-token", scope]);
  return stdout.trim();
}
