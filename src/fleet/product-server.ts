/**
 * Starts a product: `node main.js --data DIR --host 127.0.0.1 --mysql-port 0 --metrics-port 0 --user U
 * [--knob name=value]…`, or `--http-port 0` where it is to be asked over HTTP.
 *
 * The product says on stdout where it listens, in one line:
 * `{"event":"listening","mysqlPort":N,"httpPort":N,"metricsPort":M}`, with a port per surface that it has. Its
 * password goes in by the environment, where `ps` does not show it.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { loadContract } from "../contract/parse.ts";
import { productProgram } from "../foundry/standing-product.ts";
import type { KnobValues, Profile } from "../kit/product.ts";
import { LocalProcess } from "./local-process.ts";
import { processServer } from "./process-server.ts";
import type { RunningServer } from "./server.ts";

export interface ProductStart {
  readonly productDirectory: string;
  readonly dataDirectory: string;
  readonly knobs?: KnobValues | undefined;
  /** For messages; "product" by default. */
  readonly name?: string | undefined;
  /** The surface that is asked; `mysql` by default. */
  readonly surface?: "mysql" | "http" | undefined;
  /** 0, the default, lets the system choose. */
  readonly port?: number | undefined;
  /** Where the MySQL surface listens as well. */
  readonly socketPath?: string | undefined;
  readonly user?: string | undefined;
  /** Drawn at random by default. */
  readonly password?: string | undefined;
  readonly startTimeoutMs?: number | undefined;
  /** Arguments for Node itself, before `main.js`. */
  readonly nodeArguments?: readonly string[] | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Default: what the product's contract says. */
  readonly profile?: Profile | undefined;
}

const startTimeoutMs = 60_000;
const rewriteTimeoutMs = 600_000;

/**
 * Errors: those of `productProgram`, TIMEOUT, CLOSED (it ended before it listened; with the end of its
 * log).
 */
export async function startProduct(start: ProductStart): Promise<RunningServer> {
  const user = start.user ?? "lathe";
  const password = start.password ?? randomBytes(12).toString("hex");
  const { surface = "mysql", socketPath } = start;
  const main = productProgram(start.productDirectory);
  // The other surface, where there is one, gets any port: the one that products take by default may be in use.
  const others = surfacesOf(start.productDirectory).filter((one) => one !== surface);
  const process = await spawnProduct(start, main, password, [
    "--host", "127.0.0.1", `--${surface}-port`, String(start.port ?? 0), "--metrics-port", "0",
    ...others.flatMap((other) => [`--${other}-port`, "0"]),
    ...(surface === "mysql" || others.includes("mysql") ? ["--user", user] : []),
    ...(socketPath === undefined ? [] : ["--socket", socketPath]),
  ]);
  try {
    const listening = (line: string) => parseListening(line, surface);
    const { port, metricsPort } = await process.waitForLine(listening, start.startTimeoutMs ?? startTimeoutMs);
    return processServer(process, { host: "127.0.0.1", port, socketPath, user, password }, metricsPort);
  } catch (error) {
    await process.kill();
    throw error;
  }
}

/**
 * Opens a data directory, rewrites all of its files with the given knobs, and closes it. Errors: CLOSED,
 * also where `signal` stopped it.
 */
export async function rewriteProductData(start: ProductStart, signal?: AbortSignal): Promise<void> {
  const process = await spawnProduct(start, productProgram(start.productDirectory), "unused", ["--rewrite"]);
  const stop = () => void process.kill();
  const timer = setTimeout(stop, start.startTimeoutMs ?? rewriteTimeoutMs);
  signal?.addEventListener("abort", stop);
  if (signal?.aborted === true) stop();
  const end = await process.ended;
  clearTimeout(timer);
  signal?.removeEventListener("abort", stop);
  if (end.exitCode !== 0) throw process.endError(end, "while it rewrote its files,");
}

/** What a product says of its surfaces; none where it carries no contract that can be read. */
function surfacesOf(productDirectory: string): string[] {
  try {
    const { surface } = loadContract(join(productDirectory, "contract.yaml"));
    return surface.protocols.filter((protocol) => protocol === "mysql" || protocol === "http");
  } catch {
    return [];
  }
}

function spawnProduct(
  start: ProductStart, main: string, password: string, serving: readonly string[],
): Promise<LocalProcess> {
  const knobs = Object.entries(start.knobs ?? {}).flatMap(([name, value]) => ["--knob", `${name}=${value}`]);
  const profile = start.profile === undefined ? [] : ["--profile", start.profile];
  return LocalProcess.start({
    name: start.name ?? "product",
    command: process.execPath,
    args: [...(start.nodeArguments ?? []), main, "--data", start.dataDirectory, ...serving, ...knobs, ...profile],
    environment: { ...start.environment, LATHE_PASSWORD: password },
  });
}

/** What a line of stdout says about ports, or undefined where it says something else. */
export function parseListening(
  line: string,
  surface: "mysql" | "http" = "mysql",
): { port: number; metricsPort: number | undefined } | undefined {
  if (!line.startsWith("{")) return undefined;
  let value: Readonly<Record<string, unknown>>;
  try {
    value = JSON.parse(line) as typeof value;
  } catch {
    return undefined;
  }
  const port = value[`${surface}Port`];
  if (value.event !== "listening" || typeof port !== "number") return undefined;
  return { port, metricsPort: typeof value.metricsPort === "number" ? value.metricsPort : undefined };
}
