/**
 * Random streams by name: the same study seed and the same label give the same numbers on every
 * machine.
 *
 * Each use has a stream of its own (one per trial, one per launch), so that nothing has to remember
 * how far a stream has been read: a study that is resumed or replayed draws the same numbers as one
 * that never stopped.
 */
import { createHash } from "node:crypto";
import { SeededRandom } from "../bench/statistics/seeded-random.ts";
import type { RandomStream } from "./proposer.ts";

/** `label` says what the stream is for, as `propose 7`. */
export function createRandomStream(seed: number, label: string): RandomStream {
  return new SeededRandom(deriveSeed(seed, label));
}

/** A 32-bit seed for a purpose of its own; different labels give unrelated seeds. */
export function deriveSeed(seed: number, label: string): number {
  return createHash("sha256").update(`${seed} ${label}`).digest().readUInt32LE(0);
}

/** One of `items`, each with the same probability. */
export function pick<T>(items: readonly T[], random: RandomStream): T {
  return items[random.integer(items.length)];
}
