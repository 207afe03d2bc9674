/**
 * ValueSamples: what the values are that statements compare and store, in bounded memory: a sample per column, and a
 * sketch of the keys in use per table and set of columns that are compared by equality, or by whose order a range
 * begins. Reads, updates and deletes have sketches of their own, within transactions and outside, so that each can have
 * a skew of its own; `keys` and `ranges` give them together.
 *
 * What a shape's statements feed is found once per shape (`planOf`); then each statement only brings its values.
 */
import { ColumnSample } from "./column-sample.ts";
import { hashText } from "./distinct-count.ts";
import type { FrequentKeys } from "./frequent-keys.ts";
import { keyNamesMax, KeySketches } from "./key-sketches.ts";
import type { LiteralScanner } from "./literal-scanner.ts";
import type { Comparison } from "./statement-conditions.ts";
import type { StatementFacts } from "./statement-facts.ts";
import type { Verb } from "./statement-verb.ts";

interface SampledValues {
  readonly sample: ColumnSample | undefined;
  readonly values: readonly string[];
  readonly slots: readonly number[];
}

interface StoredValue {
  readonly sample: ColumnSample | undefined;
  readonly value: string;
  readonly slot: number;
  readonly bytes: number;
  readonly isText: boolean | undefined;
}

interface KeyUseOf {
  /** Of statements outside of transactions, and of those within; null where there is no room. */
  alone: FrequentKeys | null | undefined;
  within: FrequentKeys | null | undefined;
  readonly sketches: KeySketches;
  readonly name: string;
  readonly verb: Verb;
  /** Per column of the key; or of one column, each a key. */
  readonly values: readonly string[];
  readonly slots: readonly number[];
  readonly each: boolean;
}

/** What the values of a shape's statements go to. */
export interface ValuePlan {
  readonly compared: readonly SampledValues[];
  readonly stored: readonly StoredValue[];
  readonly key: KeyUseOf | undefined;
  readonly range: KeyUseOf | undefined;
  /** How many rows are asked for: by LIMIT, by both ends of a range of numbers, by a list. */
  readonly limit: StatementFacts["limitTo"];
  readonly between: Comparison | undefined;
  readonly listed: number;
  /** Columns of which one value is compared or stored: what statements of a transaction may have in common. */
  readonly linked: readonly LinkedValue[];
}

interface LinkedValue {
  readonly column: string;
  /** Of several rows all values: only where they are the same is there one. */
  readonly values: readonly string[];
  readonly slots: readonly number[];
}

/** What a statement asks for and stores. */
export interface ValueCounts {
  textBytes: number;
  /** Rows asked for; undefined where it does not say. */
  asked: number | undefined;
}

/** Values of `$1`, `$2`, …. */
type Parameters = readonly (string | null)[];

const columnsMax = 2000;
const linkedMax = 24;
const inListMax = 100;

export class ValueSamples {
  readonly columns = new Map<string, ColumnSample>();
  /** By `table|column,column`, in alphabetical order. */
  readonly keys = new KeySketches();
  /** By `table|column`: the values at which ranges of it begin. */
  readonly ranges = new KeySketches();
  /** Columns and keys of shapes for which there was no room. */
  #refused = 0;

  planOf(facts: StatementFacts): ValuePlan {
    const one = facts.tables.length === 1;
    const [table] = facts.tables;
    const between = facts.comparisons.find((comparison) => comparison.between && comparison.values.length === 2);
    const lists = facts.comparisons.filter(({ operator }) => operator === "in");
    const listed = lists.length === 1 && lists[0].values.length > 1 ? lists[0].values.length : 0;
    return {
      compared: !one ? [] : facts.comparisons.map(({ column, operator, values, slots }) => ({
        sample: this.#column(table, column), values: operator === "other" ? [] : values.slice(0, inListMax), slots,
      })),
      stored: facts.assigned.map(({ column, value, slot, bytes, isText }) => ({
        sample: one ? this.#column(table, column) : undefined, value, slot, bytes, isText,
      })),
      key: one ? this.#keyOf(table, facts) : undefined,
      range: one && facts.verb === "select" ? this.#rangeOf(table, facts) : undefined,
      limit: facts.limitTo, between, listed, linked: linkedOf(facts),
    };
  }

  /** A hash per linked column; -1 where there is no value, or more than one. */
  linkedValues(
    { linked }: ValuePlan, literals: LiteralScanner | undefined, parameters: Parameters | undefined,
  ): number[] {
    return linked.map(({ values, slots }) => {
      const first = valueOf(values[0], slots[0], literals, parameters);
      if (typeof first !== "string") return -1;
      for (let at = 1; at < values.length; at++) {
        if (valueOf(values[at], slots[at], literals, parameters) !== first) return -1;
      }
      return hashText(first);
    });
  }

  /** `literals`: of the statement; undefined where the plan has its own values. */
  take(
    plan: ValuePlan, literals: LiteralScanner | undefined, parameters: Parameters | undefined, within: boolean,
  ): ValueCounts {
    const given = (value: string, slot: number) => valueOf(value, slot, literals, parameters);
    for (const { sample, values, slots } of plan.compared) {
      for (let at = 0; at < values.length; at++) addValue(sample, given(values[at], slots[at]));
    }
    let textBytes = 0;
    for (const { sample, value, slot, bytes, isText } of plan.stored) {
      const known = given(value, slot);
      const own = literals !== undefined && slot >= 0;
      const length = own ? literals.bytes(slot) : known === value ? bytes : undefined;
      addValue(sample, known, length);
      if (isText === true) textBytes += length ?? 0;
      else if (isText === undefined && typeof known === "string" && !isNumber(known)) textBytes += known.length;
    }
    useKey(plan.key, given, within);
    useKey(plan.range, given, within);
    return { textBytes, asked: askedOf(plan, given) };
  }

  get remarks(): readonly string[] {
    const bounds = `${columnsMax} columns and ${keyNamesMax} keys are`;
    const count = this.#refused + this.keys.refused + this.ranges.refused;
    if (count === 0) return [];
    return [`the values of ${count} more columns or keys of statements were not looked at (${bounds})`];
  }

  #column(table: string, column: string): ColumnSample | undefined {
    const name = `${table}.${column}`;
    let sample = this.columns.get(name);
    if (sample === undefined && this.columns.size >= columnsMax) this.#refused++;
    else if (sample === undefined) this.columns.set(name, sample = new ColumnSample());
    return sample;
  }

  #keyOf(table: string, { comparisons, verb }: StatementFacts): KeyUseOf | undefined {
    const equal = comparisons.filter(({ operator, values }) => operator === "=" && values.length === 1);
    const listed = comparisons.filter(({ operator }) => operator === "in");
    if (equal.length + listed.length === 0 || listed.length > 1 || (listed.length > 0 && equal.length > 0)) return;
    const named = (listed.length > 0 ? listed : equal).toSorted((one, other) => (one.column < other.column ? -1 : 1));
    const name = `${table}|${named.map(({ column }) => column).join(",")}`;
    const all = listed.length > 0 ? [listed[0]] : named;
    const values = all.flatMap((one) => one.values.slice(0, inListMax));
    const slots = all.flatMap((one) => one.slots.slice(0, inListMax));
    return { ...unused, sketches: this.keys, name, verb, values, slots, each: listed.length > 0 };
  }

  #rangeOf(table: string, { comparisons, verb }: StatementFacts): KeyUseOf | undefined {
    const ranged = comparisons.filter(({ operator, values }) => operator === "range" && values.length > 0);
    if (ranged.length !== 1) return undefined;
    const [{ column, values, slots }] = ranged;
    const name = `${table}|${column}`;
    const first = { values: values.slice(0, 1), slots: slots.slice(0, 1), each: true };
    return { ...unused, sketches: this.ranges, name, verb, ...first };
  }
}

function linkedOf({ verb, tables, comparisons, assigned }: StatementFacts): LinkedValue[] {
  if (tables.length !== 1) return [];
  if (verb !== "insert" && verb !== "replace") {
    return comparisons.filter(({ operator, values }) => operator === "=" && values.length === 1).slice(0, linkedMax)
      .map(({ column, values, slots }) => ({ column, values, slots }));
  }
  const columns = Map.groupBy(assigned, ({ column }) => column);
  return [...columns].slice(0, linkedMax).map(([column, stored]) => (
    { column, values: stored.map(({ value }) => value), slots: stored.map(({ slot }) => slot) }
  ));
}

const unused = { alone: undefined, within: undefined };

type Given = (value: string, slot: number) => string | null | undefined;

function valueOf(
  value: string, slot: number, literals: LiteralScanner | undefined, parameters: Parameters | undefined,
): string | null | undefined {
  if (slot >= 0) return literals === undefined ? value : literals.value(slot);
  if (value === "?") return undefined;
  return value[0] === "$" && /^\$\d+$/.test(value) ? parameters?.[Number(value.slice(1)) - 1] : value;
}

function isNumber(text: string): boolean {
  return /^-?[\d.]+$/.test(text);
}

function useKey(key: KeyUseOf | undefined, given: Given, within: boolean): void {
  if (key === undefined) return;
  const { sketches, name, verb, values, slots } = key;
  const sketch = within
    ? (key.within ??= sketches.take(name, verb, true) ?? null)
    : (key.alone ??= sketches.take(name, verb, false) ?? null);
  if (sketch === null) return;
  if (key.each || values.length === 1) {
    for (let at = 0; at < values.length; at++) {
      const known = given(values[at], slots[at]);
      if (typeof known === "string") sketch.add(known);
    }
    return;
  }
  const parts = values.map((value, at) => given(value, slots[at]));
  if (parts.every((part) => typeof part === "string")) sketch.add(parts.join("\u0000"));
}

function askedOf({ limit, between, listed }: ValuePlan, given: Given): number | undefined {
  const whole = (value: string | null | undefined) =>
    typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : undefined;
  if (limit !== undefined) return whole(given(limit.value, limit.slot));
  if (between !== undefined) {
    const [from, to] = between.values.map((value, at) => whole(given(value, between.slots[at])));
    return from === undefined || to === undefined || to < from ? undefined : to - from + 1;
  }
  return listed > 0 ? listed : undefined;
}

function addValue(sample: ColumnSample | undefined, value: string | null | undefined, bytes?: number): void {
  if (sample === undefined || value === undefined) return;
  if (value === null) sample.addNull();
  else sample.add(value.length > 256 ? value.slice(0, 256) : value, bytes ?? value.length, true);
}
