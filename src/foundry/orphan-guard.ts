/**
 * OrphanGuard: no server and no suite outlives the workshop, however the workshop ends.
 *
 * A workshop killed with SIGKILL cannot stop its servers, and a frozen one would stay for ever; a suite that never
 * yields could not look whether its build is still there. So a shell of
 * a few lines listens to a pipe from us: `+ PID` and `- PID` say which processes are ours; when the pipe
 * closes, because we are gone, it kills those that are left. It stands in a process group of its own, so that
 * Ctrl-C in a terminal does not reach it. On Windows there is no such shell; there, only an orderly exit ends
 * the servers.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";

const script = `
pids=""
while read -r change pid; do
  if [ "$change" = "+" ]; then
    pids="$pids $pid"
  else
    rest=""
    for one in $pids; do [ "$one" = "$pid" ] || rest="$rest $one"; done
    pids="$rest"
  fi
done
for one in $pids; do kill -9 "$one" 2>/dev/null; done
`;

let guard: ChildProcess | undefined;

/** From now on the process ends when we do; a negative id is that of a process group, as for kill(2). */
export function guardProcess(processId: number): void {
  guard ??= startGuard();
  guard?.stdin?.write(`+ ${processId}\n`);
}

/** The process has ended; its id may become another's. */
export function releaseProcess(processId: number): void {
  guard?.stdin?.write(`- ${processId}\n`);
}

function startGuard(): ChildProcess | undefined {
  if (process.platform === "win32") return undefined;
  const child = spawn("/bin/sh", ["-c", script], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  child.on("error", () => undefined);
  child.stdin.on("error", () => undefined);
  // It must not keep us alive.
  child.unref();
  (child.stdin as Socket).unref();
  return child;
}
