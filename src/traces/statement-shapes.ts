/**
 * StatementShapes: statements counted by their fingerprints, with what the values of each shape amount to.
 *
 * At most `shapesMax` are told apart; whatever comes beyond is counted together by verb.
 */
import type { StatementFacts } from "./statement-facts.ts";
import { copyOf } from "./statement-templates.ts";
import type { Verb } from "./statement-verb.ts";
import { ownText } from "./own-text.ts";

export interface StatementShape {
  /** In the order in which shapes came. */
  readonly number: number;
  readonly facts: StatementFacts;
  readonly example: string;
  readonly firstLine: number;
  /** Columns whose values a transaction's statements may have in common, in the order of their values. */
  linked: readonly string[];
  alone: number;
  inTransactions: number;
  /** Of the statements outside of transactions, and of those within. */
  readonly aloneSizes: StatementSizes;
  readonly withinSizes: StatementSizes;
}

/** What several statements amount to. */
export interface StatementSizes {
  statements: number;
  /** Of VALUES. */
  rows: number;
  /** Bytes of the texts that they have stored. */
  textBytes: number;
  /** Those that say how many rows they ask for, and how many these are in all. */
  asking: number;
  asked: number;
}

const shapesMax = 5000;
const exampleMax = 200;

export class StatementShapes {
  readonly byFingerprint = new Map<string, StatementShape>();
  readonly others = new Map<Verb, number>();

  /** Undefined where there are too many already. */
  of(facts: StatementFacts, text: string, line: number): StatementShape | undefined {
    const known = this.byFingerprint.get(facts.fingerprint);
    if (known !== undefined || this.byFingerprint.size >= shapesMax) return known;
    const example = ownText(text.length > exampleMax ? `${text.slice(0, exampleMax)}…` : text);
    const shape = {
      number: this.byFingerprint.size, facts: copyOf(facts), example, firstLine: line, linked: [],
      alone: 0, inTransactions: 0, aloneSizes: noSizes(), withinSizes: noSizes(),
    };
    this.byFingerprint.set(shape.facts.fingerprint, shape);
    return shape;
  }

  countOther(verb: Verb): void {
    this.others.set(verb, (this.others.get(verb) ?? 0) + 1);
  }
}

function noSizes(): StatementSizes {
  return { statements: 0, rows: 0, textBytes: 0, asking: 0, asked: 0 };
}
