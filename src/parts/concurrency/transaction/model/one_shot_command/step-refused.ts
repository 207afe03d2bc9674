/** StepRefused: thrown inside a run only: the step is refused, and with it its command. */
import type { CommandError } from "../../command.ts";

export class StepRefused {
  readonly error: CommandError;

  constructor(reason: CommandError["reason"], message: string) {
    this.error = { reason, message };
  }
}
