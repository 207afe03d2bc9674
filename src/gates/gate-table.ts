/**
 * Which gates run when. Candidates pass the short list (≤ 5 s in all) before every measurement; a product
 * passes the long list once. `lathe check --help`, the report and the docs are derived from this table.
 */
import { boundsGate } from "./bounds-gate.ts";
import { conformanceGate } from "./conformance-gate.ts";
import { damageGate } from "./damage-gate.ts";
import { differentialGate } from "./differential-gate.ts";
import { flushAuditGate } from "./flush-audit-gate.ts";
import type { Gate } from "./gate.ts";
import { httpAccessGate } from "./http/http-access-gate.ts";
import { httpBoundsGate } from "./http/http-bounds-gate.ts";
import { httpDifferentialGate } from "./http/http-differential-gate.ts";
import { httpFlushAuditGate } from "./http/http-flush-audit-gate.ts";
import { httpKillGate } from "./http/http-kill-gate.ts";
import { httpLoadGate } from "./http/http-load-gate.ts";
import { indexesGate } from "./indexes-gate.ts";
import { libraryFlushAuditGate } from "./library/library-flush-audit-gate.ts";
import { libraryKillGate } from "./library/library-kill-gate.ts";
import { killGate } from "./kill-gate.ts";
import { loadGate } from "./load-gate.ts";
import { metamorphicGate } from "./metamorphic/metamorphic-gate.ts";
import { powerLossGate } from "./power-loss-gate.ts";
import { simulationGate } from "./simulation-gate.ts";

/**
 * Once per product; cheap ones and those that look from outside come first, so that a product that is wrong is known by
 * its behaviour and soon. `effort` multiplies what is random or slow: 1 in the main job, more by flag, a fraction in
 * tests that ask whether every gate runs and not how far it looks.
 */
export function productGates(effort = 1): Gate[] {
  return [
    flushAuditGate({ writes: scaled(40, effort), stage: "product" }),
    powerLossGate({ points: scaled(40, effort), fates: 6 }),
    loadGate({ connections: 48, milliseconds: scaled(1000, effort), stage: "product" }),
    damageGate({ flips: scaled(48, effort) }),
    differentialGate({ statements: scaled(1500, effort), shrunk: true }),
    indexesGate({ statements: scaled(240, effort), losses: scaled(12, effort) }),
    simulationGate({ seeds: scaled(120, effort) }),
    killGate({ rounds: scaled(5, effort), stage: "product" }),
    metamorphicGate({ programs: scaled(20, effort), programsMin: scaled(8, effort), knobSets: 12 }),
    conformanceGate(),
    boundsGate({ dataMiB: 160, overwriteMiB: 60 }),
  ];
}

/**
 * Once per product that is asked over HTTP. With `alone`, where it does not speak MySQL, the gates that look into the
 * product in its process come with them; those that ask over MySQL have nobody to ask.
 */
export function httpProductGates(effort = 1, alone = true): Gate[] {
  const overHttp = [
    httpFlushAuditGate({ writes: scaled(40, effort) }),
    httpAccessGate(),
    httpLoadGate({ connections: 48, milliseconds: scaled(1000, effort) }),
    httpDifferentialGate({ requests: scaled(1500, effort) }),
    httpKillGate({ rounds: scaled(5, effort) }),
    httpBoundsGate({ dataMiB: 160, overwriteMiB: 60 }),
  ];
  if (!alone) return overHttp;
  return [
    ...overHttp,
    powerLossGate({ points: scaled(40, effort), fates: 6 }),
    damageGate({ flips: scaled(48, effort) }),
    simulationGate({ seeds: scaled(120, effort) }),
    metamorphicGate({ programs: scaled(20, effort), programsMin: scaled(8, effort), knobSets: 12 }),
    conformanceGate(),
  ];
}

/** At least one, so that no gate is left with nothing to look at. */
function scaled(count: number, effort: number): number {
  return Math.max(1, Math.ceil(count * effort));
}

/** Of a library, which has no surface to be asked over: a process has it open, and others look at its parts. */
export function libraryGates(effort = 1): Gate[] {
  return [
    libraryFlushAuditGate({ writes: scaled(40, effort) }),
    libraryKillGate({ rounds: scaled(5, effort) }),
    simulationGate({ seeds: scaled(120, effort) }),
    metamorphicGate({ programs: scaled(20, effort), programsMin: scaled(8, effort), knobSets: 12 }),
    conformanceGate(),
  ];
}

/** The gates of the surfaces that a contract asks for. */
export function gatesOf(protocols: readonly string[], stage: Gate["stage"], effort = 1): Gate[] {
  const overMysql = protocols.includes("mysql");
  const overHttp = protocols.includes("http");
  if (protocols.includes("embedded")) return stage === "product" ? libraryGates(effort) : [];
  if (stage === "candidate") {
    return [...(overMysql ? candidateGates() : []), ...(overHttp ? httpCandidateGates() : [])];
  }
  return [...(overMysql ? productGates(effort) : []), ...(overHttp ? httpProductGates(effort, !overMysql) : [])];
}

/** For every candidate of a product that is asked over HTTP: five seconds in all. */
export function httpCandidateGates(): Gate[] {
  return [
    httpFlushAuditGate({ writes: 12, stage: "candidate" }),
    httpDifferentialGate({ requests: 300, stage: "candidate" }),
    httpLoadGate({ connections: 24, milliseconds: 400, stage: "candidate" }),
    httpKillGate({ rounds: 1, stage: "candidate" }),
  ];
}

/** For every candidate: five seconds in all. */
export function candidateGates(): Gate[] {
  return [
    flushAuditGate({ writes: 12, stage: "candidate" }),
    differentialGate({ statements: 400, shrunk: false }),
    loadGate({ connections: 24, milliseconds: 400, stage: "candidate" }),
    killGate({ rounds: 1, stage: "candidate" }),
  ];
}
