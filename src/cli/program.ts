/** The command line as commander sees it: one register function per command. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { registerBackup } from "./commands/backup.ts";
import { registerBench } from "./commands/bench.ts";
import { registerBuild } from "./commands/build.ts";
import { registerCheck } from "./commands/check.ts";
import { registerContract } from "./commands/contract.ts";
import { registerDoctor } from "./commands/doctor.ts";
import { registerEvolve } from "./commands/evolve.ts";
import { registerModel } from "./commands/model.ts";
import { registerPlan } from "./commands/plan.ts";
import { registerReplay } from "./commands/replay.ts";
import { registerExport } from "./commands/export.ts";
import { registerImport } from "./commands/import.ts";
import { registerRepair } from "./commands/repair.ts";
import { registerReport } from "./commands/report.ts";
import { registerRestore } from "./commands/restore.ts";
import { registerRun } from "./commands/run.ts";
import { registerSelect } from "./commands/select.ts";
import { registerServe } from "./commands/serve.ts";
import { registerSim } from "./commands/sim.ts";
import { exitCodeHelp } from "./exit-codes.ts";

/** In the order in which a user meets them. */
const registrations = [
  registerRun, registerContract, registerModel, registerSelect, registerPlan, registerBuild, registerServe,
  registerBench, registerCheck, registerSim, registerEvolve, registerReport, registerReplay,
  registerBackup, registerRestore, registerRepair, registerExport, registerImport, registerDoctor,
];

export function createProgram(): Command {
  const program = new Command("lathe")
    .description("Turns a workload into a database: assembled from parts, checked, measured, tuned.")
    .version(packageVersion(), "--version")
    .showSuggestionAfterError()
    .showHelpAfterError("(`lathe help` lists commands; `lathe COMMAND --help` has examples)")
    .addHelpText(
      "after",
      `\nExit codes:\n${exitCodeHelp()}\n\nStart with: lathe run examples/taobench-o/contract.yaml`,
    );
  for (const register of registrations) register(program);
  return program;
}

function packageVersion(): string {
  const file = join(import.meta.dirname, "..", "..", "package.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
