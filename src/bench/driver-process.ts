/**
 * The driver's process: makes load, and nothing else, so that its CPU time and its pauses are not the
 * workshop's or the server's. Commanded over IPC (`driver.ts`); ends when the channel does.
 */
import { LatheError } from "../kit/errors.ts";
import { createWorkload } from "../workload/create-workload.ts";
import type { Workload } from "../workload/workload.ts";
import type { DriverCommand, DriverRequest, DriverResponse } from "./driver-protocol.ts";
import { DriverTarget } from "./driver-target.ts";
import { loadWorkload } from "./load.ts";

const targets = new Map<string, DriverTarget>();
let workload: Workload | undefined;

async function execute(command: DriverCommand): Promise<DriverResponse["value"]> {
  switch (command.kind) {
    case "workload":
      workload = createWorkload(command.spec, command.dataSeed);
      return undefined;
    case "load":
      return loadWorkload(workload as Workload, command.endpoint, command.connections);
    case "connect":
      targets.get(command.target)?.close();
      targets.set(command.target, await DriverTarget.connect(workload as Workload, command.options));
      return undefined;
    case "run":
      return targetOf(command.target).run(command.block);
    case "disconnect":
      targets.get(command.target)?.close();
      targets.delete(command.target);
      return undefined;
  }
}

function targetOf(name: string): DriverTarget {
  const target = targets.get(name);
  if (target === undefined) throw new LatheError("NOT_FOUND", `the driver has no connections named ${name}`);
  return target;
}

/** A workshop that is gone does not listen; `disconnect` ends us. */
function respond(response: DriverResponse): void {
  process.send?.(response, () => undefined);
}

process.on("message", (request: DriverRequest) => {
  execute(request.command).then(
    (value) => respond({ id: request.id, value }),
    (error: { code?: string; message?: string }) => {
      const shown = { code: error.code, message: error.message ?? String(error) };
      respond({ id: request.id, error: shown });
    },
  );
});
process.on("disconnect", () => process.exit(0));
