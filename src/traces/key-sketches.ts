/**
 * KeySketches: sketches of the keys in use, by name (`table|column,column`), and for each name apart by what is done
 * with the rows and whether it is done within a transaction.
 *
 * Memory: at most `keyNamesMax` names, and beyond the first of each name at most `apartMax` sketches in all; where
 * these are used up, the uses of a name go together.
 */
import { FrequentKeys } from "./frequent-keys.ts";
import type { Verb } from "./statement-verb.ts";

export const keyNamesMax = 64;
const apartMax = 64;

export class KeySketches {
  /** Names for which there was no room. */
  refused = 0;
  readonly #byName = new Map<string, Map<string, FrequentKeys>>();
  #apart = 0;

  /** The sketch that uses are to be added to; undefined where there is no room. */
  take(name: string, verb: Verb, within: boolean): FrequentKeys | undefined {
    const uses = this.#byName.get(name);
    const use = useOf(verb, within);
    if (uses === undefined) {
      if (this.#byName.size >= keyNamesMax) {
        this.refused++;
        return undefined;
      }
      const sketch = new FrequentKeys();
      this.#byName.set(name, new Map([[use, sketch]]));
      return sketch;
    }
    const known = uses.get(use);
    if (known !== undefined) return known;
    if (this.#apart >= apartMax) return uses.values().next().value;
    this.#apart++;
    const sketch = new FrequentKeys();
    uses.set(use, sketch);
    return sketch;
  }

  /** Of one use alone; undefined where it has none of its own. */
  of(name: string, verb: Verb, within: boolean): FrequentKeys | undefined {
    return this.#byName.get(name)?.get(useOf(verb, within));
  }

  /** All uses of a name. */
  allOf(name: string): FrequentKeys | undefined {
    const uses = this.#byName.get(name);
    return uses && FrequentKeys.together([...uses.values()]);
  }

  /** All uses of each name. */
  together(): Map<string, FrequentKeys> {
    return new Map([...this.#byName].map(([name, uses]) => [name, FrequentKeys.together([...uses.values()])]));
  }
}

function useOf(verb: Verb, within: boolean): string {
  return within ? `${verb} within` : verb;
}
