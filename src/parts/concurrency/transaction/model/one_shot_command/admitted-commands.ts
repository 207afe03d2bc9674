/**
 * AdmittedCommands: commands as they were decoded when they were admitted, in the order in which they are applied.
 *
 * Entries that were admitted and did not get into the log are passed over when a later one is taken.
 */
import type { LogEntry } from "../../../../replication/replicated-log.ts";
import type { Command } from "../../command.ts";

/** So many that were taken are kept until the rest is moved up. */
const takenMax = 1024;

export class AdmittedCommands {
  #entries: LogEntry[] = [];
  #commands: Command[] = [];
  #head = 0;

  clear(): void {
    this.#entries.length = 0;
    this.#commands.length = 0;
    this.#head = 0;
  }

  push(entry: LogEntry, command: Command): void {
    this.#entries.push(entry);
    this.#commands.push(command);
  }

  /** The command of an entry, once; undefined where it was not admitted here. */
  take(entry: LogEntry): Command | undefined {
    const at = this.#entries.indexOf(entry, this.#head);
    if (at < 0) return undefined;
    const command = this.#commands[at];
    this.#head = at + 1;
    if (this.#head === this.#entries.length) this.clear();
    else if (this.#head > takenMax) {
      this.#entries = this.#entries.slice(this.#head);
      this.#commands = this.#commands.slice(this.#head);
      this.#head = 0;
    }
    return command;
  }
}
