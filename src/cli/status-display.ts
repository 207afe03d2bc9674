/**
 * Shows where a long job stands: on a terminal one line that is written over; elsewhere a line per
 * change of stage or text, so that logs stay readable.
 */
import type { WriteStream } from "node:tty";
import type { Status } from "../app/use-case.ts";

export class StatusDisplay {
  readonly #stream: WriteStream;
  readonly #startedMs = performance.now();
  #shown = "";
  #last: Status | undefined;

  constructor(stream: WriteStream) {
    this.#stream = stream;
  }

  /** A line that stays. */
  line(text: string): void {
    this.clear();
    this.#stream.write(`${text}\n`);
    if (this.#stream.isTTY && this.#last !== undefined) this.show(this.#last);
  }

  show(status: Status): void {
    const text = this.#format(status);
    if (this.#stream.isTTY) {
      const cut = text.slice(0, Math.max(20, (this.#stream.columns ?? 80) - 1));
      this.#stream.write(`\r\u001b[2K${cut}`);
      this.#shown = cut;
    } else if (status.stage !== this.#last?.stage || status.text !== this.#last.text) {
      this.#stream.write(`${text}\n`);
    }
    this.#last = status;
  }

  clear(): void {
    if (this.#shown !== "") this.#stream.write("\r\u001b[2K");
    this.#shown = "";
  }

  #format({ stage, trial, of, secondsLeft, incumbent, text }: Status): string {
    const elapsed = duration((performance.now() - this.#startedMs) / 1000);
    const trialText = trial === 0 ? "" : ` · trial ${trial}${of === undefined ? "" : ` of ${of}`}`;
    const knobs = Object.entries(incumbent.knobs).map(([name, value]) => `${name}=${value}`);
    const best = knobs.length === 0 ? "" : ` · best so far ${knobs.join(" ")}`;
    const left = secondsLeft !== undefined && secondsLeft < 24 * 3600 ? ` · ${duration(secondsLeft)} left` : "";
    return `[${elapsed}] ${stage}${trialText}: ${text}${best}${left}`;
  }
}

function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
