/**
 * Ends the suites of a build that is gone, however it went: killed, out of memory, at the second Ctrl-C.
 *
 * A small process of its own hears through a pipe which groups of processes run. When the pipe ends, its other side is
 * gone, and what still runs is killed. A watch inside the suite could not do it: one that never yields would not look.
 * It leads a group of its own, so that signals of the terminal do not reach it.
 * Source: the reaper of Testcontainers (Ryuk).
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";

/** Lines of `+GROUP` and `-GROUP`. */
const program = `
const groups = new Set();
let rest = "";
process.stdin.setEncoding("utf8").on("data", (text) => {
  const lines = (rest + text).split("\\n");
  rest = lines.pop();
  for (const line of lines) groups[line[0] === "+" ? "add" : "delete"](Number(line.slice(1)));
}).on("end", () => {
  for (const group of groups) {
    try {
      process.kill(-group, "SIGKILL");
    } catch {}
  }
});`;

let reaper: ChildProcess | undefined;

/** Has the group ended with this process, until the returned function is called. */
export function guardGroup(group: number | undefined): () => void {
  if (group === undefined) return () => undefined;
  tell(`+${group}\n`);
  return () => tell(`-${group}\n`);
}

function tell(line: string): void {
  if (reaper?.stdin?.writable !== true) reaper = start();
  reaper.stdin?.write(line);
}

function start(): ChildProcess {
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  const child = spawn(process.execPath, ["--eval", program], {
    detached: true, env, stdio: ["pipe", "ignore", "ignore"],
  });
  // Where it cannot be started, or was killed, builds go on without it.
  child.on("error", () => undefined);
  child.stdin.on("error", () => undefined);
  child.unref();
  (child.stdin as Socket).unref();
  return child;
}
