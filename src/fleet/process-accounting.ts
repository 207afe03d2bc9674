/**
 * ProcessAccounting: CPU time and memory of a process from the kernel's own books.
 *
 * CPU, on Linux:
 *   1. `/proc/PID/task/TID/schedstat` gives each living thread's CPU time in nanoseconds.
 *   2. What ended threads had used is remembered from the reading before they ended.
 *   3. `/proc/PID/stat` (utime + stime) covers ended threads in full, in ticks of 10 ms: it is a floor, so
 *      that what a thread used between the last reading and its end is counted too.
 * A running thread's figure is as old as its last tick or switch; of a frozen or idle process it is exact.
 * Memory: `/proc/PID/smaps_rollup` (Rss) now, `/proc/PID/status` (VmHWM) at its highest.
 * Elsewhere `ps` answers both, with a resolution of 10 ms and no peak of the kernel: the highest reading
 * stands for it.
 * Source: proc(5); Documentation/scheduler/sched-stats.rst.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { LatheError } from "../kit/errors.ts";

const microsecondsPerTick = 10_000;
const linux = process.platform === "linux";

export class ProcessAccounting {
  readonly #processId: number;
  readonly #threads = new Map<string, number>();
  #endedNs = 0;
  #lastUs = 0;
  #peakBytes = 0;

  constructor(processId: number) {
    this.#processId = processId;
  }

  /**
   * User and system time of all threads since the start, in microseconds. The last reading where the
   * process has ended.
   */
  cpuUs(): number {
    const now = linux ? this.#linuxCpuUs() : this.#psCpuUs();
    if (now !== undefined && now > this.#lastUs) this.#lastUs = now;
    return this.#lastUs;
  }

  memory(): { residentBytes: number; peakBytes: number } {
    const residentBytes = linux ? this.#linuxResidentBytes() : this.#psResidentBytes();
    this.#peakBytes = Math.max(this.#peakBytes, residentBytes, linux ? this.#linuxPeakBytes() : 0);
    return { residentBytes, peakBytes: this.#peakBytes };
  }

  #linuxCpuUs(): number | undefined {
    const directory = `/proc/${this.#processId}`;
    const stat = readIfThere(`${directory}/stat`);
    if (stat === undefined) return undefined;
    const alive = new Set<string>();
    let liveNs = 0;
    for (const thread of listIfThere(`${directory}/task`)) {
      const schedstat = readIfThere(`${directory}/task/${thread}/schedstat`);
      if (schedstat === undefined) continue;
      const ns = Number(schedstat.slice(0, schedstat.indexOf(" ")));
      alive.add(thread);
      this.#threads.set(thread, ns);
      liveNs += ns;
    }
    for (const [thread, ns] of this.#threads) {
      if (alive.has(thread)) continue;
      this.#threads.delete(thread);
      this.#endedNs += ns;
    }
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const floorUs = (Number(fields[11]) + Number(fields[12])) * microsecondsPerTick;
    const totalUs = (liveNs + this.#endedNs) / 1000;
    if (totalUs >= floorUs) return totalUs;
    this.#endedNs += (floorUs - totalUs) * 1000;
    return floorUs;
  }

  #linuxResidentBytes(): number {
    const rollup = readIfThere(`/proc/${this.#processId}/smaps_rollup`) ?? this.#status();
    return kibOf(rollup, /^(?:Rss|VmRSS):\s+(\d+) kB/m) * 1024;
  }

  #linuxPeakBytes(): number {
    return kibOf(this.#status(), /^VmHWM:\s+(\d+) kB/m) * 1024;
  }

  #status(): string {
    return readIfThere(`/proc/${this.#processId}/status`) ?? "";
  }

  #psCpuUs(): number | undefined {
    const text = this.#ps("time");
    if (text === undefined) return undefined;
    // [[days-]hours:]minutes:seconds[.fraction]
    const [days, clock] = text.includes("-") ? text.split("-") : ["0", text];
    const seconds = clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
    return (Number(days) * 86_400 + seconds) * 1_000_000;
  }

  #psResidentBytes(): number {
    return Number(this.#ps("rss") ?? 0) * 1024;
  }

  #ps(column: string): string | undefined {
    try {
      return execFileSync("ps", ["-o", `${column}=`, "-p", String(this.#processId)], { encoding: "utf8" }).trim();
    } catch (cause) {
      if ((cause as { code?: string }).code !== "ENOENT") return undefined;
      const message = "neither /proc nor `ps` can tell a server's CPU time on this machine";
      throw new LatheError("UNAVAILABLE", message, { cause });
    }
  }
}

/**
 * User and system time of all threads of a process since its start, in ticks of 10 ms as microseconds: how what `cpuUs`
 * says is divided. Undefined where there is no /proc.
 */
export function userAndSystemUs(processId: number): { userUs: number; systemUs: number } | undefined {
  const stat = linux ? readIfThere(`/proc/${processId}/stat`) : undefined;
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { userUs: Number(fields[11]) * microsecondsPerTick, systemUs: Number(fields[12]) * microsecondsPerTick };
}

/** Whether a process of that id runs; one that has ended and was not yet reaped by its parent does not. */
export function processExists(processId: number): boolean {
  const stat = linux ? readIfThere(`/proc/${processId}/stat`) : undefined;
  if (stat !== undefined) return stat[stat.lastIndexOf(")") + 2] !== "Z";
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}

function kibOf(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}

function listIfThere(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
