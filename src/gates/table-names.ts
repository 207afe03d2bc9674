/**
 * Names of the tables that a gate works on: one that a benchmark uses, and one drawn from the seed.
 *
 * A product that treats the tables of benchmarks in a way of their own (answers kept, flushes left out) must be
 * wrong on the first; one that takes every other name for an examination must be wrong on the second. So gates
 * use both, and start products with the arguments of a measurement.
 */
const benchmarkNames = ["objects", "edges", "usertable"];

export function tableNames(next: () => number): readonly [benchmark: string, drawn: string] {
  const benchmark = benchmarkNames[Math.floor(next() * benchmarkNames.length)];
  return [benchmark, `t${Math.floor(next() * 2 ** 32).toString(36)}`];
}
