/**
 * OrphanGuard: no server and no suite outlives the workshop, however the workshop ends.
 *
 * A workshop killed with SIGKILL cannot stop its servers, and a frozen one would stay for ever; a suite that never
 * yields could not look whether its build is still there. So:
 *
 *   1. a shell of a few lines listens to a pipe from us: `+ PID` and `- PID` say which processes are ours; when it
 *      closes, because we are gone, it kills those that are left. It stands in a process group of its own, so that
 *      Ctrl-C in a terminal does not reach it.
 *   2. a process that we start waits, as a shell that will become it, for a word from us, which is given once the
 *      guard has been told its id. If we are gone before, the word does not come and the shell ends.
 *
 * Invariant: at every moment a process of ours is either known to the guard or has not begun. On Windows there is no
 * such shell; there, only an orderly exit ends the servers.
 */
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import type { Socket } from "node:net";
import { delimiter, join } from "node:path";
import type { Writable } from "node:stream";

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

export interface GuardedSpawnOptions extends SpawnOptions {
  /** At most six; fewer than ten names of files are what a shell can wait at. */
  readonly stdio: ("ignore" | "inherit" | "pipe" | "ipc")[];
  /** Together with the process ends its group, of which `detached` makes it the head. */
  readonly group?: boolean;
}

/**
 * Like `spawn`; the process ends when we do. Where the program cannot be found, the child emits `error`, as there.
 * Call `releaseProcess` when it has ended.
 */
export function spawnGuarded(command: string, args: readonly string[], options: GuardedSpawnOptions): ChildProcess {
  const { group = false, ...rest } = options;
  guard ??= startGuard();
  if (guard === undefined || !isProgram(command, options.env ?? process.env)) return spawn(command, args, rest);
  const gate = options.stdio.length;
  const wait = `read -r word <&${gate} || exit 1; exec "$0" "$@" ${gate}<&-`;
  const child = spawn("/bin/sh", ["-c", wait, command, ...args], { ...rest, stdio: [...options.stdio, "pipe"] });
  const opening = child.stdio[gate] as Writable | null | undefined;
  // It may be killed before it hears the word.
  opening?.on("error", () => undefined);
  if (child.pid !== undefined) {
    guard.stdin?.write(`+ ${group ? -child.pid : child.pid}\n`, () => opening?.end("go\n"));
  }
  return child;
}

/** Whether a shell would find it. */
function isProgram(command: string, environment: NodeJS.ProcessEnv): boolean {
  const places = command.includes("/") ? [""] : (environment.PATH ?? "").split(delimiter);
  return places.some((place) => {
    try {
      const path = join(place, command);
      accessSync(path, constants.X_OK);
      return statSync(path).isFile();
    } catch {
      return false;
    }
  });
}

/** The process has ended; its id may become another's. A negative id is that of a group, as for kill(2). */
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
