/**
 * Plants a delay into the point reads of a product: a busy wait before every prepared statement that
 * returns rows, with a knob, `debug.delay`, that removes it. The true effect of that knob is known because
 * it was made.
 *
 * The edits are texts that must stand in the product exactly once, as those of mutants (`gates/mutant.ts`).
 */
import { appendFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { plantMutant } from "../src/gates/mutant.ts";
import type { Knob } from "../src/knobs/knob.ts";

export const delayKnob: Knob = {
  name: "debug.delay",
  type: "boolean",
  leaf: "query_processing/execution/model/point_api",
  description: "Waits before every point read. Planted, so that a study has something to find.",
  default: true,
  impact: "high",
  risk: "none",
  effect: "restart",
  constraints: [],
};

const wiring = (delayNs: number) => `
/** Planted: point reads take ${delayNs} ns longer. */
function delayed(executor: Executor): Executor {
  return {
    prepare: (sql) => executor.prepare(sql),
    execute(statement, parameters, sink) {
      if (statement.shape !== undefined) {
        const until = performance.now() + ${delayNs} / 1e6;
        while (performance.now() < until);
      }
      return executor.execute(statement, parameters, sink);
    },
    query: (sql, sink) => executor.query(sql, sink),
    metrics: () => executor.metrics(),
  };
}

class WiredProduct implements Product {
`;

/** Writes a copy of a product with the delay to `target`, replacing what is there. */
export function plantDelay(productDirectory: string, target: string, delayNs: number): void {
  rmSync(target, { recursive: true, force: true });
  const edits = [
    {
      file: "knobs.ts",
      find: "export interface Knobs {\n",
      replace: 'export interface Knobs {\n  readonly "debug.delay": boolean;\n',
    },
    {
      file: "knobs.ts",
      find: "export const knobTable: readonly KnobDefinition[] = [\n",
      replace:
        "export const knobTable: readonly KnobDefinition[] = [\n" +
        '  { name: "debug.delay", type: "boolean", default: true, constraints: [] },\n',
    },
    { file: "product.ts", find: "\nclass WiredProduct implements Product {\n", replace: wiring(delayNs) },
    {
      file: "product.ts",
      find: "return { engine, executor, metrics",
      replace: 'return { engine, executor: knobs["debug.delay"] ? delayed(executor) : executor, metrics',
    },
  ];
  plantMutant(productDirectory, { name: "planted-delay", planted: true, description: "a delay", edits }, target);
  appendFileSync(join(target, "knobs.yaml"), "\n# Planted.\ndebug.delay: true\n");
}
