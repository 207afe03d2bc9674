/** Entry of the command line: parses, runs one command, and fails in one way. */
import { CommanderError } from "commander";
import { fail } from "./command-frame.ts";
import { createProgram } from "./program.ts";

const usageExitCode = 2;

// `lathe … | head` closes our output early, which is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

const program = createProgram();
for (const command of [program, ...program.commands, ...program.commands.flatMap((one) => one.commands)]) {
  command.exitOverride();
}
const json = process.argv.includes("--json");
try {
  await program.parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said what is wrong; help and version come here too.
    process.exitCode = error.exitCode === 0 ? 0 : usageExitCode;
    if (json && error.exitCode !== 0) {
      const message = error.message.replace(/^error: /, "");
      process.stdout.write(
        `${JSON.stringify({ error: { code: "INVALID_ARGUMENT", message, exitCode: usageExitCode } })}\n`,
      );
    }
  } else fail(error, json);
}
