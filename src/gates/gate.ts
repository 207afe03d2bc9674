/**
 * Gate: turns an oracle's answer into admit or reject. A candidate that fails, times out or stays inconclusive in any
 * gate has no score; correctness is never a term of the objective.
 */
import type { KnobValues } from "../kit/product.ts";

export interface Gate {
  readonly name: string;
  readonly description: string;
  /** `candidate`: runs for every candidate, ≤ 5 s. `product`: once per product. */
  readonly stage: "candidate" | "product";
  /** For what never ends; several times what the gate takes on a machine that has much else to do. */
  readonly timeoutMs: number;
  run(subject: GateSubject): Promise<GateVerdict>;
}

export interface GateSubject {
  /** An assembled product (its `product.ts` and `main.js`). */
  readonly productDirectory: string;
  readonly knobs: KnobValues;
  /** Tables, keys, values, ports and schedules vary with it. */
  readonly seed: number;
  /** An empty directory that the gate may fill; on a disk, not on tmpfs, for gates about durability. */
  readonly workDirectory: string;
  readonly signal?: AbortSignal | undefined;
}

export interface GateVerdict {
  readonly gate: string;
  readonly verdict: "admit" | "reject" | "inconclusive";
  /** One sentence: what was looked at (with counts), or what was wrong. */
  readonly reason: string;
  /** Facts for the journal: counts, seeds, first counterexample. */
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly seconds: number;
}
