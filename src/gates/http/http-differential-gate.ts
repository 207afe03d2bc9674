/**
 * Differential gate over HTTP: random requests, whose answers must be those of a map.
 *
 * Steps: puts (in chunks, as bytes, in batches, by import, with an expiry), deletes, conditional puts (by ETag, and
 * where nothing is there), gets and scans of keys and values with quotes, control characters and letters of all kinds;
 * in the middle an orderly restart; at the end, when what expires within a second is gone, everything is read once
 * more, and exported. With small memtables and caches, so that a short run flushes, compacts and evicts.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { RunningServer } from "../../fleet/server.ts";
import type { Gate, GateSubject, GateVerdict } from "../gate.ts";
import { verdictOf } from "../run-gates.ts";
import { shrunkKnobs } from "../shrunk-knobs.ts";
import { HttpGateConnection, startHttpSubject } from "./http-subject.ts";
import { KeyValueScript } from "./key-value-script.ts";

const name = "http-differential";

export function httpDifferentialGate(options: { requests: number; stage?: Gate["stage"] }): Gate {
  const { stage = "product" } = options;
  const gateName = stage === "product" ? name : `${name}-short`;
  return {
    name: gateName,
    description: `${options.requests} random HTTP requests equal a map, across a restart`,
    stage,
    timeoutMs: 90_000 + options.requests * 20,
    run: (subject) => runDifferential(gateName, options.requests, subject),
  };
}

async function runDifferential(gateName: string, requests: number, subject: GateSubject): Promise<GateVerdict> {
  const verdict = verdictOf(gateName, performance.now());
  // A candidate is judged with its own knobs.
  const shrunk = gateName === name ? { ...subject, knobs: shrunkKnobs(subject) } : subject;
  const script = new KeyValueScript(subject.seed, gateName === name);
  let server = await startHttpSubject(shrunk);
  try {
    let connection = await HttpGateConnection.open(server);
    for (let request = 0; request < requests; request++) {
      if (subject.signal?.aborted) return verdict.inconclusive("stopped on request");
      if (request === requests >> 1) {
        connection.close();
        await server.stop();
        server = await startHttpSubject(shrunk);
        connection = await HttpGateConnection.open(server);
        const lost = await script.compareAll(connection);
        if (lost !== undefined) return verdict.reject(`after a restart, ${lost}`, script.evidence());
      }
      const difference = await script.step(connection);
      if (difference !== undefined) return verdict.reject(`request ${request}: ${difference}`, script.evidence());
    }
    await sleep(Math.max(0, script.shortestExpiryMs - Date.now()));
    const difference = (await script.compareAll(connection)) ?? (await compareExport(script, server));
    if (difference !== undefined) return verdict.reject(`at the end, ${difference}`, script.evidence());
    connection.close();
    const counts = `${requests} requests and ${script.size} keys`;
    return verdict.admit(`${counts} equal to a map, across a restart`, script.evidence());
  } finally {
    await server.kill();
  }
}

async function compareExport(script: KeyValueScript, { endpoint }: RunningServer): Promise<string | undefined> {
  const sentMs = Date.now();
  const response = await fetch(`http://${endpoint.host}:${endpoint.port}/export`);
  const wrong = script.compareExport(await response.text(), sentMs);
  return wrong === undefined ? undefined : `in an export, ${wrong}`;
}
