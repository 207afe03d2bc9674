/**
 * Waves: coarse units of a schedule, each a list of path prefixes with its place in the order.
 *
 * An edge inside a wave makes no new layer. A gap in the numbers is a place kept free for the glue of a large contract:
 * what comes after it waits for that glue. Source: the schedule that SpecDB prints in section 4.3, which follows
 * modules more than edges.
 */
export interface Wave {
  /** From 1. */
  readonly number: number;
  readonly prefixes: readonly string[];
}

/** The number of the wave with the longest prefix that fits; undefined where none does. */
export function waveNumber(waves: readonly Wave[], path: string): number | undefined {
  let best: { readonly length: number; readonly number: number } | undefined;
  for (const { number, prefixes } of waves) {
    for (const prefix of prefixes) {
      const fits = path === prefix || path.startsWith(`${prefix}/`);
      if (fits && prefix.length > (best?.length ?? -1)) best = { length: prefix.length, number };
    }
  }
  return best?.number;
}
