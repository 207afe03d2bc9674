/**
 * TextPlanCache: plans of text statements by their shape, the text without its literals.
 *
 * Algorithm: 1. The statement that followed the last one the time before is tried first: comparing the text between
 * literals and reading the literals is all there is to it, and in a stream of alike statements it is nearly always
 * right.
 * 2. Otherwise the text is split into its shape and looked up by hash; segments are compared, so a collision is no hit.
 * Limits: `entriesMax` shapes and `bytesMax` bytes of segments; the oldest goes first. A shape of more than a quarter
 * of the bytes is not kept.
 * Invariant: a hit gives exactly the values that parsing would give, because both read literals with the same scanner.
 */
import type { TextScanner } from "../../../../parser/text-scanner.ts";
import type { Plan } from "./plan.ts";

export interface CachedPlan {
  readonly segments: readonly string[];
  readonly hash: number;
  readonly bytes: number;
  plan: Plan;
  catalogVersion: number;
  /** What came after it the last time. */
  next: CachedPlan | undefined;
}

export class TextPlanCache {
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  readonly #byHash = new Map<number, CachedPlan[]>();
  /** In order of age. */
  readonly #entries = new Set<CachedPlan>();
  #bytes = 0;

  constructor(entriesMax: number, bytesMax: number) {
    this.#entriesMax = entriesMax;
    this.#bytesMax = bytesMax;
  }

  get entries(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The plan with the shape that `scanner` has just split off. */
  find(scanner: TextScanner): CachedPlan | undefined {
    const candidates = this.#byHash.get(scanner.hash);
    if (candidates === undefined) return undefined;
    for (const candidate of candidates) if (equalSegments(candidate.segments, scanner.segments)) return candidate;
    return undefined;
  }

  add(segments: readonly string[], hash: number, plan: Plan, catalogVersion: number): CachedPlan | undefined {
    let bytes = 64;
    for (const segment of segments) bytes += 2 * segment.length + 16;
    if (bytes > this.#bytesMax / 4 || this.#entriesMax === 0) return undefined;
    // Flat copies: a slice would keep the whole text that it was cut from.
    const flat = segments.map((segment) => Buffer.from(segment, "utf16le").toString("utf16le"));
    const entry: CachedPlan = { segments: flat, hash, bytes, plan, catalogVersion, next: undefined };
    this.#entries.add(entry);
    this.#bytes += bytes;
    const sameHash = this.#byHash.get(hash);
    if (sameHash === undefined) this.#byHash.set(hash, [entry]);
    else sameHash.push(entry);
    while (this.#entries.size > this.#entriesMax || this.#bytes > this.#bytesMax) this.#removeOldest();
    return entry;
  }

  #removeOldest(): void {
    const [oldest] = this.#entries;
    this.#entries.delete(oldest);
    this.#bytes -= oldest.bytes;
    oldest.next = undefined;
    const rest = (this.#byHash.get(oldest.hash) ?? []).filter((entry) => entry !== oldest);
    if (rest.length === 0) this.#byHash.delete(oldest.hash);
    else this.#byHash.set(oldest.hash, rest);
  }
}

function equalSegments(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
