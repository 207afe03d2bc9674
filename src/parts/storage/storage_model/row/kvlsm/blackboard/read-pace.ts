/**
 * ReadPace: whether adaptive reads may block the thread, from how long the last ones took.
 *
 *   1. A read of 2 ms or more did not come from the page cache, or the thread lost its core meanwhile. It adds 16 to
 *      a score, every fast read takes 1 away: single hiccups of a busy machine are forgotten, a cold disk is not.
 *   2. At a score of 48, or after one read of 50 ms, reads use the pool for a second. Then they block again, and the
 *      score begins anew.
 */
const slowUs = 2000;
const verySlowUs = 50_000;
const slowScore = 16;
const scoreMax = 48;
const holdUs = 1_000_000;

export class ReadPace {
  #score = 0;
  #poolUntilUs = 0;

  mayBlock(nowUs: number): boolean {
    return nowUs >= this.#poolUntilUs;
  }

  /** Notes a read that blocked; returns whether reads go to the pool from now on. */
  note(durationUs: number, nowUs: number): boolean {
    if (durationUs < slowUs) {
      if (this.#score > 0) this.#score--;
      return false;
    }
    this.#score += slowScore;
    if (this.#score < scoreMax && durationUs < verySlowUs) return false;
    this.#score = 0;
    this.#poolUntilUs = nowUs + holdUs;
    return true;
  }
}
