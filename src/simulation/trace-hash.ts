/**
 * TraceHash: a rolling hash of everything that happens in a simulation, in order.
 *
 * Two runs of one seed must give equal hashes: whatever differs (a real clock, a random number from elsewhere, an
 * order that depends on memory addresses) shows here first. Two lanes of 32 bits; FNV-1a's step with two primes.
 */
import { hash32 } from "../kit/hash.ts";

export class TraceHash {
  events = 0;
  #low = 0x811c9dc5;
  #high = 0x9e3779b9;
  readonly #ofText = new Map<string, number>();

  note(kind: number, a: number, b: number): void {
    this.events++;
    this.#mix(kind);
    this.#mix(a | 0);
    this.#mix(b | 0);
  }

  noteText(kind: number, text: string, number = 0): void {
    let hash = this.#ofText.get(text);
    if (hash === undefined) {
      const bytes = Buffer.from(text);
      hash = hash32(bytes, 0, 0, bytes.length) | 0;
      this.#ofText.set(text, hash);
    }
    this.note(kind, hash, number);
  }

  noteBytes(kind: number, bytes: Uint8Array): void {
    this.note(kind, hash32(bytes, 0, 0, bytes.length) | 0, bytes.length);
  }

  get hex(): string {
    return [this.#high, this.#low].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
  }

  #mix(number: number): void {
    this.#low = Math.imul(this.#low ^ number, 0x01000193);
    this.#high = Math.imul(this.#high ^ number ^ (this.#low >>> 13), 0x85ebca6b);
  }
}
