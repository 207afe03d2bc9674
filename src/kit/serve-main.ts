/**
 * What `main.js` of a product runs: from a command line to a server that drains when it is told to stop.
 *
 * Steps:
 *   1. parse arguments and knobs; say everything that is wrong with them in one line and exit 2;
 *   2. open the product (which takes the directory's lock and recovers), find or make the password,
 *   bind the ports;
 *   3. print `{"event":"listening","mysqlPort":N,"httpPort":H,"metricsPort":M}` on stdout, the only line a
 *   program needs to read, with a port per surface that the product has;
 *   4. on SIGHUP read the knobs again and change those that are live (serve-reload.ts);
 *   5. on SIGTERM or SIGINT drain and close within the time limit, exit 0; a second signal exits at once.
 * While it serves, a process of the same user can ask it for a checkpoint (serve-control.ts).
 * Logs are JSON lines on stderr (`env.log`). Failures have one line that says what to do; see
 * `serve-exit-codes.ts`.
 */
import type { Server } from "node:net";
import { resolve } from "node:path";
import type { Env } from "./env/env.ts";
import type { KnobDefinition } from "./knob-table.ts";
import { isLoopback } from "./loopback.ts";
import { LatheError } from "./errors.ts";
import type { BoundPorts, OpenProduct, Product, Profile } from "./product.ts";
import {
  knobsInForce, parseServeArguments, type ServeArguments, type ServedSurface, serveHelp, type TokenRequest,
} from "./serve-arguments.ts";
import { serveControl } from "./serve-control.ts";
import { passwordInForce, tokenSecretInForce, writeSecretFile } from "./serve-credentials.ts";
import { describeFailure, exitReasonOf } from "./serve-exit-codes.ts";
import { reloadOnSignal } from "./serve-reload.ts";
import { tlsInForce } from "./serve-tls.ts";
import { boundYoungGeneration } from "./young-generation.ts";

/** What the wiring tells about its product. */
export interface ProductDefinition {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly selectionHash: string;
  /** The directory of `main.js`, where `knobs.yaml` is. */
  readonly directory: string;
  readonly knobTable: readonly KnobDefinition[];
  readonly open: OpenProduct;
  readonly createEnv: () => Env;
  /** Default: MySQL alone. */
  readonly surfaces?: readonly ServedSurface[] | undefined;
  /** Of products with an HTTP surface. Errors: INVALID_ARGUMENT. */
  readonly issueToken?: ((secret: Uint8Array, request: TokenRequest, nowMs: number) => string) | undefined;
  /** Told once the server listens. */
  readonly listening?: (() => void) | undefined;
  /** Why `--profile fast` is refused; undefined where the contract allows it, and then it is the default. */
  readonly fastRefusal?: string | undefined;
}

function surfacesOf({ surfaces = ["mysql"] }: ProductDefinition): readonly ServedSurface[] {
  return surfaces;
}

/** Beyond the drain's own limit, for closing files. */
const closeGraceMs = 5000;

export async function serveMain(
  definition: ProductDefinition,
  argv: readonly string[] = process.argv.slice(2),
): Promise<void> {
  let product: Product | undefined;
  try {
    const surfaces = surfacesOf(definition);
    const parsed = parseServeArguments(argv, surfaces);
    if (parsed.mode === "help") {
      return void process.stdout.write(serveHelp(definition.name, definition.description, surfaces));
    }
    if (parsed.mode === "make-token") return makeToken(definition, parsed);
    profileOf(definition, parsed);
    if (parsed.mode === "version") {
      return void process.stdout.write(
        `${definition.name} ${definition.version} selection ${definition.selectionHash}\n`,
      );
    }
    // Timers and threads of Env keep no process alive, and a start has no socket yet: this does, until the exit.
    setInterval(() => undefined, 2 ** 30);
    boundYoungGeneration();
    const knobs = knobsInForce(definition.directory, definition.knobTable, parsed);
    const env = definition.createEnv();
    const dataDirectory = resolve(parsed.data);
    const stop = catchSignals(env);
    const profile = profileOf(definition, parsed);
    product = await definition.open(env, knobs, { dataDirectory, profile });
    const { directory, knobTable } = definition;
    reloadOnSignal({ directory, knobTable, parsed, product, log: env.log }, knobs);
    if (parsed.mode === "rewrite") await rewrite(product);
    else await serve(definition, product, env, { ...parsed, profile }, dataDirectory, stop);
    await env.threads.close();
    // Sockets of clients that never hang up must not keep a drained process alive.
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${definition.name}: ${describeFailure(error)}\n`);
    if (process.env.LATHE_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    await product?.close().catch(() => undefined);
    process.exit(exitReasonOf(error).exitCode);
  }
}

async function rewrite(product: Product): Promise<void> {
  await product.rewrite();
  await product.settle();
  await product.close();
  print({ event: "rewritten" });
}

/** Errors: INVALID_ARGUMENT. */
function profileOf({ fastRefusal }: ProductDefinition, { profile }: ServeArguments): Profile {
  if (fastRefusal === undefined) return profile ?? "fast";
  if (profile === "fast") throw new LatheError("INVALID_ARGUMENT", `--profile fast: ${fastRefusal}`);
  return "safe";
}

/** Beside a running server too: it takes nothing but the secret. */
function makeToken(definition: ProductDefinition, { data, token: request }: ServeArguments): void {
  const env = definition.createEnv();
  const dataDirectory = resolve(data);
  env.disk.makeDirectory(dataDirectory);
  const secret = tokenSecretInForce(dataDirectory, env.random);
  const token = definition.issueToken?.(secret, request, env.clock.nowMs()) ?? "";
  if (request.file === undefined) process.stdout.write(`${token}\n`);
  else writeSecretFile(request.file, token);
}

async function bind(
  product: Product,
  surfaces: readonly ServedSurface[],
  env: Env,
  parsed: ServeArguments,
  dataDirectory: string,
): Promise<BoundPorts> {
  const { host, mysqlPort, mysqlSocket, httpPort, metricsPort, user } = parsed;
  const overMysql = surfaces.includes("mysql");
  const credentials = overMysql ? passwordInForce(dataDirectory, process.env, env.random) : undefined;
  const access = surfaces.includes("http")
    ? {
      tokenSecret: tokenSecretInForce(dataDirectory, env.random),
      tokenRequired: parsed.tokenRequired ?? !isLoopback(host),
    }
    : undefined;
  const password = credentials?.password ?? "";
  const { tls: mode, tlsCertificate: certificateFile, tlsKey: keyFile } = parsed;
  const tls = tlsInForce(dataDirectory, { mode, host, certificateFile, keyFile }, env);
  const at = { host, mysqlPort, mysqlSocket, httpPort, metricsPort };
  const bound = await product.serve({ ...at, user, password, access, tls });
  if (credentials?.source === "generated") {
    const shown = `user ${user}, password ${password} (shown once; kept in ${credentials.file}, mode 0600)`;
    process.stderr.write(`${product.name}: first run: ${shown}\n`);
  }
  return bound;
}

async function serve(
  definition: ProductDefinition,
  product: Product,
  env: Env,
  parsed: ServeArguments,
  dataDirectory: string,
  stop: Promise<string>,
): Promise<void> {
  const bound = await bind(product, surfacesOf(definition), env, parsed, dataDirectory);
  const control = await openControl(product, env, dataDirectory);
  const { mysqlPort, httpPort, metricsPort = null } = bound;
  // JSON leaves out what is undefined: ports of surfaces that the product does not have.
  const listening = { host: parsed.host, mysqlPort, mysqlSocket: parsed.mysqlSocket, httpPort, metricsPort };
  print({ event: "listening", ...listening });
  env.log.info("listening", { ...listening, dataDirectory, profile: parsed.profile });
  definition.listening?.();
  const signal = await stop;
  control?.close();
  env.log.info("draining", { signal, timeoutMs: parsed.drainMs });
  const ended = product.drain(parsed.drainMs).then(() => product.close());
  const inTime = await Promise.race([ended.then(() => true), after(parsed.drainMs + closeGraceMs)]);
  // Acknowledged writes are in the log, so ending here loses nothing; the next start replays it.
  if (inTime) env.log.info("stopped", { signal });
  else env.log.warn("stopped without closing", { signal, waitedMs: parsed.drainMs + closeGraceMs });
}

async function openControl(product: Product, env: Env, dataDirectory: string): Promise<Server | undefined> {
  if (product.checkpoint === undefined) return undefined;
  return serveControl(dataDirectory, env.log, (directory) => product.checkpoint?.(directory) ?? Promise.resolve());
}

function after(delayMs: number): Promise<false> {
  return new Promise((done) => setTimeout(done, delayMs, false));
}

/** Resolves with the first signal; the second one ends the process. Also ends it on what nobody caught. */
function catchSignals(env: Env): Promise<string> {
  process.on("uncaughtException", (error) => {
    env.log.error("uncaught", { message: error.message, stack: error.stack });
    process.stderr.write(`${describeFailure(error)}\n`);
    process.exit(exitReasonOf(error).exitCode);
  });
  // A reader of our output that went away is no reason to stop serving.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  return new Promise((resolveSignal) => {
    let caught = false;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => {
        if (caught) process.exit(130);
        caught = true;
        resolveSignal(signal);
      });
    }
  });
}

function print(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

