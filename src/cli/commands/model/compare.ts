/** `lathe model diff-config`. */
import type { Command } from "commander";
import { compareConfigurations, type NamedConfigurations } from "../../../app/compare-configurations.ts";
import { runAction, withFrame } from "../../command-frame.ts";

export function registerCompare(model: Command): void {
  const command = model
    .command("diff-config")
    .description("what differs between two configurations: leaves of one only, at which point, and what forces each")
    .argument("<before>", "an archetype or selection of the catalog, a selection's file, a contract, or a product")
    .argument("<after>", "the same");
  withFrame(command, {
    examples: [
      "lathe model diff-config embedded latency_bound",
      "lathe model diff-config examples/taobench-o/contract.yaml build/taobench-o --json",
    ],
    exitCodes: [7, 9],
  }).action((before: string, after: string, options: { json?: boolean }) =>
    runAction(options.json, () => {
      const found = compareConfigurations(before, after);
      return { json: found, text: differenceText(found) };
    }));
}

function differenceText({ before, after, onlyBefore, onlyAfter, shared, points }: NamedConfigurations): string {
  const lines = [`${shared} leaves in both`];
  for (const { point, before: left, after: right } of points) {
    const names = (paths: readonly string[]) => paths.map((path) => path.slice(point.length + 1)).join(", ");
    lines.push(`at ${point}: ${names(left)} → ${names(right)}`);
  }
  for (const [name, only] of [[before, onlyBefore], [after, onlyAfter]] as const) {
    lines.push(`only in ${name}: ${only.length}`);
    for (const { path, choice, because } of only) {
      lines.push(`  ${path}`, ...(choice ? ["      a choice"] : because.map((sentence) => `      ${sentence}`)));
    }
  }
  return lines.join("\n");
}
