/**
 * Use case: run a product as a child process, in the foreground, and end it as its caller is ended.
 */
import { releaseProcess, spawnGuarded } from "../foundry/orphan-guard.ts";
import { productProgram } from "../foundry/standing-product.ts";

export interface ServeRequest {
  readonly productDirectory: string;
  readonly data: string;
  readonly host: string;
  /** Ports and user that are undefined are the product's own defaults. */
  readonly mysqlPort: number | undefined;
  readonly socket?: string | undefined;
  readonly httpPort: number | undefined;
  readonly metricsPort: number | undefined;
  readonly user: string | undefined;
  readonly tokenRequired: boolean;
  /** Undefined: LATHE_PASSWORD, or what the first run made. */
  readonly password: string | undefined;
  readonly knobs: readonly string[];
  /** As the product's flags of these names. */
  readonly tls?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
}

export interface ServeOutcome {
  readonly product: string;
  readonly exitCode: number;
}

/**
 * Resolves when the server has ended. SIGTERM and the signal drain it. Errors: those of `productProgram`.
 */
export async function serveProduct(request: ServeRequest, signal: AbortSignal): Promise<ServeOutcome> {
  const main = productProgram(request.productDirectory);
  const environment = { ...process.env };
  // By environment, because arguments can be read by every user of the machine.
  if (request.password !== undefined) environment.LATHE_PASSWORD = request.password;
  const line = ["--disable-warning=ExperimentalWarning", main, ...argumentsOf(request)];
  const child = spawnGuarded(process.execPath, line, {
    stdio: ["ignore", "inherit", "inherit"],
    env: environment,
    // A group of its own: the terminal's Ctrl-C reaches it once, through us.
    detached: true,
  });
  const stop = () => child.kill("SIGTERM");
  // Where we are ended at once, nothing must be left behind.
  const end = () => child.kill("SIGKILL");
  process.on("exit", end);
  signal.addEventListener("abort", stop, { once: true });
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code, ended) => resolve(code ?? (ended === "SIGKILL" ? 137 : 1)));
    });
    return { product: request.productDirectory, exitCode };
  } finally {
    if (child.pid !== undefined) releaseProcess(child.pid);
    process.off("exit", end);
    signal.removeEventListener("abort", stop);
  }
}

function argumentsOf(request: ServeRequest): string[] {
  return [
    ["--data", request.data],
    ["--host", request.host],
    flag("--mysql-port", request.mysqlPort),
    flag("--socket", request.socket),
    flag("--http-port", request.httpPort),
    flag("--metrics-port", request.metricsPort),
    flag("--user", request.user),
    request.tokenRequired ? ["--require-token"] : [],
    flag("--tls", request.tls),
    flag("--tls-cert", request.tlsCert),
    flag("--tls-key", request.tlsKey),
    ...request.knobs.map((knob) => ["--knob", knob]),
  ].flat();
}

function flag(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [name, String(value)];
}
