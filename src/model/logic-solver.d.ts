/** The part of `logic-solver` (MiniSat compiled to JavaScript) that differential tests use. */
declare module "logic-solver" {
  type Term = number | string;
  interface Solution {
    evaluate(term: Term): boolean;
  }
  class Solver {
    require(...terms: unknown[]): void;
    solve(): Solution | null;
    solveAssuming(term: unknown): Solution | null;
    getVarNum(name: string): number;
  }
  const Logic: { Solver: typeof Solver; or(...terms: Term[]): unknown; and(...terms: Term[]): unknown };
  export = Logic;
}
