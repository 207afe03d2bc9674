/**
 * Coverage: how often what should sometimes happen has happened. A simulation that never stalls a writer shows nothing
 * about stalls; the sum over the seeds of CI must be more than nothing for each event that is `expected`.
 * Source: Antithesis' and FoundationDB's "sometimes" assertions.
 */
export type CoverageCounts = Record<string, number>;

export class Coverage {
  readonly counts: CoverageCounts = {};

  note(event: string, times = 1): void {
    if (times > 0) this.counts[event] = (this.counts[event] ?? 0) + times;
  }

  add(counts: CoverageCounts): void {
    for (const [event, times] of Object.entries(counts)) this.note(event, times);
  }
}
