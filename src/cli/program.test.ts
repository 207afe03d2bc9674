import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command } from "commander";
import { errorCodes } from "../kit/errors.ts";
import { parseBudget, parseWarmUp } from "./budget.ts";
import { exitCodes } from "./exit-codes.ts";
import { createProgram } from "./program.ts";

function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

/** What `--help` prints, the added pages included. */
function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

test("every command has help with examples, exit codes and --json", () => {
  const commands = createProgram().commands.flatMap(leaves);
  const names = commands.map((command) => command.name());
  for (const name of ["run", "new", "check", "explain", "build", "serve", "bench", "evolve", "report", "replay", "doctor"]) {
    assert.ok(names.includes(name), name);
  }
  for (const command of commands) {
    const help = helpOf(command);
    assert.match(help, /\nExamples:\n {2}\$ .*lathe /, command.name());
    assert.match(help, /\nExit codes:\n {4}0 {2}done/, command.name());
    assert.match(help, /--json/, command.name());
    for (const example of help.matchAll(/^ {2}\$ (?:[A-Z_]+=\S+ )?lathe (\S+)/gm)) {
      assert.ok(createProgram().commands.some((one) => one.name() === example[1]), example[0]);
    }
  }
});

test("the flags of an example exist", () => {
  for (const command of createProgram().commands.flatMap(leaves)) {
    const known = command.options.flatMap((option) => [option.long, option.short]);
    for (const flag of helpOf(command).matchAll(/^ {2}\$ .*$/gm).flatMap((line) => line[0].matchAll(/ (--[a-z-]+)/g))) {
      assert.ok(known.includes(flag[1]), `${command.name()} ${flag[1]}`);
    }
  }
});

test("each error code leads to one exit code at most", () => {
  for (const code of Object.keys(errorCodes)) {
    assert.ok(exitCodes.filter((one) => (one.codes as readonly string[]).includes(code)).length <= 1, code);
  }
  const numbers = exitCodes.map((one) => one.exitCode);
  assert.equal(new Set(numbers).size, numbers.length);
});

test("budgets", () => {
  assert.deepEqual(parseBudget("3"), { trials: 3, minutes: undefined });
  assert.deepEqual(parseBudget("20m"), { trials: undefined, minutes: 20 });
  assert.deepEqual(parseBudget("1.5h"), { trials: undefined, minutes: 90 });
  assert.deepEqual(parseBudget("3, 20m"), { trials: 3, minutes: 20 });
  for (const text of ["", "0", "-1", "1.5", "3x", "m", "1e3"]) {
    assert.throws(() => parseBudget(text), { code: "INVALID_ARGUMENT" }, text);
  }
});

test("times to warm up", () => {
  assert.deepEqual(["500ms", "4s", " 1.5s "].map(parseWarmUp), [500, 4000, 1500]);
  for (const text of ["", "4", "0s", "99ms", "601s", "-1s", "4m", "1e3ms"]) {
    assert.throws(() => parseWarmUp(text), { code: "INVALID_ARGUMENT" }, text);
  }
});
