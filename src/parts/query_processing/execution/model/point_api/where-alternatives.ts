/**
 * WhereAlternatives: a condition as a list of alternatives, each of them a conjunction without OR and IN.
 *
 * Algorithm: the disjunctive normal form, from the inside: an OR joins lists, an AND pairs every alternative of one
 * side with every one of the other, an IN is an OR of equalities.
 * Limits: alternatives, and comparisons in all of them together; an AND of ORs grows as a product.
 */
import type { Condition, Operand } from "../../../../parser/statement.ts";
import { SqlError } from "../../../executor.ts";

const alternativesMax = 4096;
const comparisonsMax = 65_536;

/** Throws SqlError limit_exceeded. */
export function whereAlternatives(where: Condition): Condition[] {
  const alternatives = expand(where).map((conditions): Condition => {
    return conditions.length === 1 ? conditions[0] : { kind: "and", conditions };
  });
  return alternatives;
}

function expand(condition: Condition): (readonly Condition[])[] {
  switch (condition.kind) {
    case "comparison":
    case "row":
      return [[condition]];
    case "in":
      return limited(condition.rows.length, condition.columns.length, () => {
        return condition.rows.map((operands) => [equality(condition.columns, operands)]);
      });
    case "or": {
      const lists = condition.conditions.map(expand);
      return limited(sum(lists.map(({ length }) => length)), 1, () => lists.flat());
    }
    case "and": {
      const lists = condition.conditions.map(expand);
      // What has no alternatives is joined at once: a product one by one would copy it again and again.
      const sure = lists.filter(({ length }) => length === 1).flatMap(([conditions]) => conditions);
      return lists.filter(({ length }) => length !== 1).reduce(pairs, [sure]);
    }
  }
}

function equality(columns: readonly string[], operands: readonly Operand[]): Condition {
  if (columns.length > 1) return { kind: "row", columns, comparison: "=", operands };
  return { kind: "comparison", column: columns[0], comparison: "=", operand: operands[0] };
}

function pairs(
  left: (readonly Condition[])[],
  right: (readonly Condition[])[],
): (readonly Condition[])[] {
  const longest = (lists: (readonly Condition[])[]) => lists.reduce((most, { length }) => Math.max(most, length), 0);
  return limited(left.length * right.length, longest(left) + longest(right), () => {
    return left.flatMap((one) => right.map((other) => [...one, ...other]));
  });
}

function limited<Made>(alternatives: number, comparisonsEach: number, make: () => Made): Made {
  if (alternatives > alternativesMax || alternatives * comparisonsEach > comparisonsMax) {
    throw new SqlError("limit_exceeded", `OR and IN give more than ${alternativesMax} alternatives`);
  }
  return make();
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
