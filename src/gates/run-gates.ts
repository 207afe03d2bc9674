/**
 * Runs gates over a product in order and stops at the first that does not admit.
 *
 * A gate that throws or exceeds its time is `inconclusive`, which counts as not admitted: a candidate has a
 * score only when every gate has said yes.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Gate, GateSubject, GateVerdict } from "./gate.ts";

const graceMs = 5000;

export interface RunGatesOptions {
  /** Gates go on after a rejection, so that a report shows all of them. */
  readonly all?: boolean;
  readonly onVerdict?: (verdict: GateVerdict) => void;
  readonly onStart?: (gate: Gate) => void;
}

export function isAdmitted(verdicts: readonly GateVerdict[]): boolean {
  return verdicts.length > 0 && verdicts.every(({ verdict }) => verdict === "admit");
}

export async function runGates(
  gates: readonly Gate[],
  subject: GateSubject,
  options: RunGatesOptions = {},
): Promise<GateVerdict[]> {
  const verdicts: GateVerdict[] = [];
  for (const gate of gates) {
    if (subject.signal?.aborted) break;
    options.onStart?.(gate);
    const workDirectory = mkdtempSync(join(subject.workDirectory, `${gate.name}-`));
    const verdict = await runGate(gate, { ...subject, workDirectory });
    rmSync(workDirectory, { recursive: true, force: true, maxRetries: 3 });
    verdicts.push(verdict);
    options.onVerdict?.(verdict);
    if (verdict.verdict !== "admit" && options.all !== true) break;
  }
  return verdicts;
}

async function runGate(gate: Gate, subject: GateSubject): Promise<GateVerdict> {
  const startedAt = performance.now();
  const seconds = () => Math.round(performance.now() - startedAt) / 1000;
  const limit = AbortSignal.timeout(gate.timeoutMs);
  const signal = subject.signal === undefined ? limit : AbortSignal.any([limit, subject.signal]);
  const expired = new Promise<GateVerdict>((resolve) => {
    const expire = () => {
      const reason = limit.aborted ? `no answer within ${gate.timeoutMs / 1000} s` : "stopped on request";
      resolve({ gate: gate.name, verdict: "inconclusive", reason, evidence: {}, seconds: seconds() });
    };
    signal.addEventListener("abort", expire, { once: true });
  });
  // A gate that throws at once is no different from one that rejects.
  const answer = (async () => gate.run({ ...subject, signal }))().catch((error: Error): GateVerdict => ({
    gate: gate.name,
    verdict: "inconclusive",
    reason: `the gate could not finish: ${error.message}`,
    evidence: { error: String(error.stack ?? error).slice(0, 2000) },
    seconds: seconds(),
  }));
  const verdict = await Promise.race([answer, expired]);
  // What an expired gate has started ends at its signal; its directory is not taken away below running servers.
  await Promise.race([answer, sleep(graceMs, undefined, { ref: false })]);
  return verdict;
}

/** Builds verdicts of one gate with its running time. */
export function verdictOf(gate: string, startedAt: number) {
  const seconds = () => Math.round(performance.now() - startedAt) / 1000;
  return {
    admit: (reason: string, evidence: Record<string, unknown> = {}): GateVerdict => ({
      gate,
      verdict: "admit",
      reason,
      evidence,
      seconds: seconds(),
    }),
    reject: (reason: string, evidence: Record<string, unknown> = {}): GateVerdict => ({
      gate,
      verdict: "reject",
      reason,
      evidence,
      seconds: seconds(),
    }),
    inconclusive: (reason: string, evidence: Record<string, unknown> = {}): GateVerdict => ({
      gate,
      verdict: "inconclusive",
      reason,
      evidence,
      seconds: seconds(),
    }),
  };
}
