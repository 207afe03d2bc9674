/**
 * How a statement finds its rows, told from its conditions and from the keys of its table: one row by its key, some
 * rows by a range of a key or index, or all rows.
 */
import type { StatementFacts } from "../../traces/statement-facts.ts";
import type { TraceTable } from "../../traces/table-definition.ts";

export interface Access {
  readonly kind: "point" | "range" | "scan" | "none";
  /** Another key than the primary one finds the rows. */
  readonly bySecondary: boolean;
  /** Rows have to be sorted after they were found. */
  readonly sorts: boolean;
  /** Columns of that key that are compared by equality, in its order. */
  readonly equal: readonly string[];
  /** The next one, where a range of it is read. */
  readonly range?: string | undefined;
  /** The next one, where rows come in its order. */
  readonly ordered?: string | undefined;
}

const unsorted = { bySecondary: false, sorts: false };

/** `table`: undefined where no source defines it; then columns compared by equality are taken for its key. */
export function accessOf(facts: StatementFacts, table: TraceTable | undefined): Access {
  const equal = new Set<string>();
  const ranged = new Set<string>();
  for (const { column, operator } of facts.comparisons) {
    if (operator === "=" || operator === "in") equal.add(column);
    else if (operator === "range" || operator === "prefix") ranged.add(column);
  }
  const ordered = facts.orderBy;
  if (facts.tables.length !== 1) return { kind: "scan", bySecondary: false, sorts: ordered.length > 0, equal: [] };
  if (table === undefined || table.columns.length === 0) {
    if (equal.size > 0 && ranged.size === 0 && ordered.length === 0) {
      return { kind: "point", ...unsorted, equal: [...equal] };
    }
    const [range] = ranged;
    return { kind: equal.size + ranged.size > 0 ? "range" : "scan", ...unsorted, equal: [...equal], range };
  }
  const small = (columns: readonly string[]) => columns.map((column) => column.toLowerCase());
  const primary = small(table.primaryKey);
  if (primary.length > 0 && primary.every((column) => equal.has(column))) {
    return { kind: "point", ...unsorted, equal: primary };
  }
  const sortedBy = (columns: readonly string[]) =>
    ordered.every((column, at) => {
      const from = columns.findIndex((one) => !equal.has(one));
      return columns[Math.max(0, from) + at] === column || equal.has(column);
    });
  const keys = [
    ...(primary.length > 0 ? [{ columns: primary, secondary: false, unique: true }] : []),
    ...table.keys.map(({ columns, unique }) => ({ columns: small(columns), secondary: true, unique })),
  ];
  const whole = keys.find(({ columns, unique }) => unique && columns.every((column) => equal.has(column)));
  if (whole !== undefined) return { kind: "point", bySecondary: true, sorts: false, equal: whole.columns };
  const led = keys.find(({ columns }) => equal.has(columns[0]) || ranged.has(columns[0]));
  if (led !== undefined) {
    const until = led.columns.findIndex((column) => !equal.has(column));
    const bound = until < 0 ? led.columns : led.columns.slice(0, until);
    const next = until < 0 ? undefined : led.columns[until];
    const range = next !== undefined && ranged.has(next) ? next : undefined;
    return { kind: "range", bySecondary: led.secondary, sorts: !sortedBy(led.columns), equal: bound, range };
  }
  const walked = keys.find(({ columns }) => ordered.length > 0 && sortedBy(columns));
  if (walked !== undefined && facts.limit) {
    return { kind: "range", bySecondary: walked.secondary, sorts: false, equal: [], ordered: walked.columns[0] };
  }
  return { kind: "scan", bySecondary: false, sorts: ordered.length > 0 && walked === undefined, equal: [] };
}
