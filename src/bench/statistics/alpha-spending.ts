/**
 * How much of the study's error probability its j-th confirmation may spend.
 *
 * Purpose: a study confirms several candidates; together they may keep a null candidate with
 * probability ≤ α. Rule: α_j = α / 2^j, half of what is left, so Σ α_j = α and any number of
 * confirmations is covered by the union bound (no independence is assumed). Why halves: a
 * sign-symmetric test wins less than one bit of evidence per launch, so what counts is the fewest
 * launches that can keep, about log2(1/α_j). At α = 5 % halves give 6, 7, 8 and 9 launches for the
 * first four confirmations; the well-known 6/(π² j²) gives 6, 8, 9 and 10, and r = 2/3 in place of 1/2
 * makes the first one, which every study needs, dearer: 7, 8, 8 and 9. `scripts/statistics-bars.ts`
 * prints simulated launches and power of the three. Recycling: a confirmation that *keeps* gives its α
 * back (Bretz et al. 2009): until the first false keep, every keep was of a real gain, so only
 * confirmations that ended without one have spent anything. `confirmationIndex` counts so.
 */
import { LatheError } from "../../kit/errors.ts";

/** α of confirmation `j`, counted from 1. */
export function alphaForConfirmation(j: number, alpha: number): number {
  if (!Number.isInteger(j) || j < 1) {
    throw new LatheError("INVALID_ARGUMENT", `confirmations are counted from 1, not ${j}`);
  }
  requireAlpha(alpha);
  return alpha / 2 ** j;
}

/** The `j` of the next confirmation, given whether each earlier one kept its candidate. */
export function confirmationIndex(earlierKept: readonly boolean[]): number {
  return 1 + earlierKept.filter((kept) => !kept).length;
}

export function requireAlpha(alpha: number): void {
  if (alpha > 0 && alpha < 1) return;
  throw new LatheError("INVALID_ARGUMENT", `alpha lies in (0, 1), not ${alpha}`);
}
