/** Text that differs from call to call, cut from one long random text so that making megabytes of it costs nothing. */
export class RandomLetters {
  readonly #next: () => number;
  readonly #pool: string;

  constructor(next: () => number) {
    this.#next = next;
    let pool = "";
    while (pool.length < 1 << 18) pool += Math.floor(next() * 2 ** 52).toString(36);
    this.#pool = pool;
  }

  /** At most 200,000 letters and digits. */
  take(length: number): string {
    const start = Math.floor(this.#next() * (this.#pool.length - length));
    return this.#pool.slice(start, start + length);
  }
}
