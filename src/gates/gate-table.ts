/**
 * Which gates run when. Candidates pass the short list (≤ 5 s in all) before every measurement; a product passes the long
 * list once. `lathe check --help`, the report and the docs are derived from this table.
 */
import { boundsGate } from "./bounds-gate.ts";
import { conformanceGate } from "./conformance-gate.ts";
import { differentialGate } from "./differential-gate.ts";
import { flushAuditGate } from "./flush-audit-gate.ts";
import type { Gate } from "./gate.ts";
import { killGate } from "./kill-gate.ts";
import { loadGate } from "./load-gate.ts";
import { powerLossGate } from "./power-loss-gate.ts";

/** Once per product. `effort` multiplies what is random or slow (1 in the main job; more by flag). */
export function productGates(effort = 1): Gate[] {
  return [
    conformanceGate(),
    differentialGate({ statements: 1500 * effort, shrunk: true }),
    powerLossGate({ points: 40 * effort, stage: "product" }),
    flushAuditGate({ writes: 40 * effort }),
    loadGate({ connections: 48, milliseconds: 1000 * effort }),
    killGate({ rounds: 5 * effort, stage: "product" }),
    boundsGate({ dataMiB: 160, overwriteMiB: 60 }),
  ];
}

/** For every candidate: five seconds in all. */
export function candidateGates(): Gate[] {
  return [
    differentialGate({ statements: 400, shrunk: false }),
    flushAuditGate({ writes: 12 }),
    loadGate({ connections: 24, milliseconds: 400 }),
    killGate({ rounds: 1, stage: "candidate" }),
  ];
}
