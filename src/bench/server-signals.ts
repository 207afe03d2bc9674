/**
 * Reads a server's Prometheus endpoint as plain numbers, and waits by them until its background work is
 * done.
 */
import { get } from "node:http";
import type { RunningServer } from "../fleet/server.ts";
import { LatheError } from "../kit/errors.ts";

export type Signals = Readonly<Record<string, number>>;

const requestTimeoutMs = 5000;
const textBytesMax = 4 << 20;
/** Gauges that are above 0 while a server has background work left. */
const pendingWork = /(compaction_debt_bytes|immutable_memtables|pending_jobs|running_jobs)$/;
const quietMs = 20;
/** A process that takes less than this share of a core has nothing to do but wait for us. */
const quietShare = 0.1;

/**
 * Values by name, with labels as they are written (`lsm_level_files{level="0"}`); buckets of histograms
 * are left out.
 */
export function parseSignals(text: string): Signals {
  const signals: Record<string, number> = {};
  for (const line of text.split("\n")) {
    const match = /^([A-Za-z_:][\w:]*(?:\{[^}]*\})?)\s+(\S+)/.exec(line);
    if (match === null || /_bucket\{/.test(match[1])) continue;
    const value = Number(match[2]);
    if (!Number.isNaN(value)) signals[match[1]] = value;
  }
  return signals;
}

/** Errors: IO_ERROR where the endpoint does not answer. */
export async function readSignals(port: number): Promise<Signals> {
  const text = await new Promise<string>((resolve, reject) => {
    const fail = (cause: Error) =>
      reject(new LatheError("IO_ERROR", `the metrics on port ${port} cannot be read: ${cause.message}`, { cause }));
    const address = { host: "127.0.0.1", port, path: "/metrics", timeout: requestTimeoutMs, agent: false };
    const request = get(address, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
        if (body.length > textBytesMax) request.destroy(new Error(`more than ${textBytesMax} bytes`));
      });
      response.on("end", () => resolve(body));
      response.on("error", fail);
    });
    request.on("timeout", () => request.destroy(new Error(`no answer within ${requestTimeoutMs} ms`)));
    request.on("error", fail);
  });
  return parseSignals(text);
}

export interface Drained {
  readonly seconds: number;
  /** False where the work was not done within the limit. */
  readonly settled: boolean;
  readonly signals: Signals;
}

/**
 * Waits until a server is quiet: it takes hardly any CPU, and its metrics, where it has any, name no work
 * left. Without an endpoint (MariaDB) the CPU alone decides.
 */
export async function drainServer(
  server: Pick<RunningServer, "cpuUs" | "metricsPort">,
  timeoutMs: number,
): Promise<Drained> {
  const startedAt = performance.now();
  for (;;) {
    const cpuBefore = server.cpuUs();
    const before = performance.now();
    await new Promise((resolve) => setTimeout(resolve, quietMs));
    const now = performance.now();
    const quiet = server.cpuUs() - cpuBefore < (now - before) * 1000 * quietShare;
    const late = now - startedAt > timeoutMs;
    if (!quiet && !late) continue;
    const signals = server.metricsPort === undefined ? {} : await readSignals(server.metricsPort);
    const settled = quiet && !hasWorkLeft(signals);
    // The time at which quiet began, not the time that it took us to see it.
    if (settled || late) return { seconds: (settled ? before - startedAt : now - startedAt) / 1000, settled, signals };
  }
}

export function hasWorkLeft(signals: Signals): boolean {
  return Object.entries(signals).some(([name, value]) => value > 0 && pendingWork.test(name.replace(/\{.*/, "")));
}
