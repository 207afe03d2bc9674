/**
 * The operating system's generator. `u32` draws from a buffer, because a system call per number is
 * dear.
 */
import { randomBytes, randomFillSync } from "node:crypto";
import type { Random } from "./env.ts";

const bufferedWords = 1024;

export class NodeRandom implements Random {
  readonly #words = new Uint32Array(bufferedWords);
  #used = bufferedWords;

  u32(): number {
    if (this.#used === bufferedWords) {
      randomFillSync(this.#words);
      this.#used = 0;
    }
    return this.#words[this.#used++];
  }

  bytes(length: number): Uint8Array {
    return randomBytes(length);
  }
}
