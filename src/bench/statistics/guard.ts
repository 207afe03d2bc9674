/**
 * Guards: a candidate may be faster, but not at the cost of the tail or of memory beyond the contract's
 *   margins.
 *
 * Algorithm: non-inferiority. The exact one-sided signed-rank bounds (95 %) of the ratio
 *   candidate/incumbent are compared with the margin: the upper one below it passes, the lower one above
 *   it fails, anything else is inconclusive, which never keeps a candidate (more launches may settle it).
 */
import { LatheError } from "../../kit/errors.ts";
import { median } from "./summary.ts";
import { centreBounds } from "./signed-rank.ts";

export interface GuardVerdict {
  readonly verdict: "pass" | "fail" | "inconclusive";
  readonly estimateRatio: number;
  readonly upperRatio: number;
  readonly reason: string;
}

const tail = 0.05;

/**
 * `logRatios`: log of candidate over incumbent of something of which less is better, per launch.
 * `marginRatio`: the largest ratio that is tolerated, as 1.1 for "at most 10 % worse"; at least 1.
 */
export function guardNonInferiority(logRatios: readonly number[], marginRatio: number): GuardVerdict {
  if (!(marginRatio >= 1 && Number.isFinite(marginRatio))) {
    const message = `a guard's margin is a ratio of at least 1 (1.1 is 10 % worse), not ${marginRatio}`;
    throw new LatheError("INVALID_ARGUMENT", message);
  }
  const { low, high, estimate } = centreBounds(logRatios, tail);
  const estimateRatio = Math.exp(estimate);
  const upperRatio = Math.exp(high.bound);
  const bounds =
    `ratio ${estimateRatio.toFixed(3)}, upper bound ${upperRatio.toFixed(3)}, margin ${marginRatio}`;
  const say = (verdict: GuardVerdict["verdict"], note: string): GuardVerdict => ({
    verdict,
    estimateRatio,
    upperRatio,
    reason: `${bounds}${note}`,
  });
  if (high.tail > tail) return say("inconclusive", `; ${logRatios.length} launches are too few`);
  if (upperRatio <= marginRatio) return say("pass", "");
  if (Math.exp(low.bound) > marginRatio) return say("fail", ": worse than is tolerated");
  return say("inconclusive", ": more launches may settle it");
}

/**
 * Memory also passes while the candidate stays within what the user grants: below that, more is no
 * loss.
 */
export function guardMemory(
  logRatios: readonly number[],
  marginRatio: number,
  candidateMiB: readonly number[],
  grantedMiB: number,
): GuardVerdict {
  const verdict = guardNonInferiority(logRatios, marginRatio);
  const highest = Math.max(...candidateMiB);
  if (candidateMiB.length === 0 || !(highest <= grantedMiB)) return verdict;
  const middle = median(candidateMiB);
  const reason =
    `at most ${highest.toFixed(0)} MiB (median ${middle.toFixed(0)}) of ${grantedMiB} MiB granted`;
  return { ...verdict, verdict: "pass", reason };
}
