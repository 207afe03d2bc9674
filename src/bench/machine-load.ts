/**
 * What the rest of the machine does while we measure: noise has a reason, and a report should be able to name it.
 *
 * `/proc/stat` counts the time that all processors were not idle (steal by the hypervisor included) in ticks of 10 ms,
 * sampled; over a second of blocks that is good to some percent. Elsewhere nothing is said.
 */
import { readFileSync } from "node:fs";

const microsecondsPerTick = 10_000;

/** Time that all processors were busy since the boot, in microseconds; undefined where the system does not say. */
export function machineBusyUs(): number | undefined {
  let text: string;
  try {
    text = readFileSync("/proc/stat", "latin1");
  } catch {
    return undefined;
  }
  // cpu user nice system idle iowait irq softirq steal guest guest_nice; guests are part of user and nice.
  const fields = text.slice(0, text.indexOf("\n")).split(/\s+/).slice(1).map(Number);
  const [user, nice, system, , , irq = 0, softirq = 0, steal = 0] = fields;
  return (user + nice + system + irq + softirq + steal) * microsecondsPerTick;
}

/** Adds up, over blocks, what was busy beside the server and the driver. */
export class NeighbourLoad {
  #otherUs = 0;
  #seconds = 0;
  #known = true;

  add(busyBeforeUs: number | undefined, busyAfterUs: number | undefined, ownUs: number, seconds: number): void {
    if (busyBeforeUs === undefined || busyAfterUs === undefined) this.#known = false;
    else this.#otherUs += busyAfterUs - busyBeforeUs - ownUs;
    this.#seconds += seconds;
  }

  /** Processors that others kept busy, on average; undefined where it is not known. */
  get cores(): number | undefined {
    if (!this.#known || this.#seconds === 0) return undefined;
    return Math.max(0, this.#otherUs / 1e6 / this.#seconds);
  }
}
