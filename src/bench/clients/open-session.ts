/** Opens the sessions that a workload is driven with: over HTTP where its benchmark is, over MySQL otherwise. */
import type { Endpoint } from "../../fleet/server.ts";
import type { Verifier, Workload } from "../../workload/workload.ts";
import { HttpClient } from "./http-client.ts";
import { HttpSession } from "./http-session.ts";
import { MySqlClient } from "./mysql-client.ts";
import type { OperationSession } from "./operation-session.ts";
import { statementsFor } from "./statement-catalog.ts";
import { WorkloadSession } from "./workload-session.ts";

/** Whether a workload is driven over HTTP. */
export function isOverHttp({ name }: Pick<Workload, "name">): boolean {
  return name.startsWith("key_value");
}

/** Errors: IO_ERROR, PERMISSION, the system's, and what the server says to statements that are prepared. */
export async function openSession(
  workload: Workload,
  endpoint: Endpoint,
  verifier: Verifier | undefined,
): Promise<OperationSession> {
  if (isOverHttp(workload)) return new HttpSession(await HttpClient.connect(endpoint), verifier);
  const client = await MySqlClient.connect(endpoint);
  try {
    const statements = statementsFor(workload);
    await statements.prepare(client);
    return new WorkloadSession(client, statements, verifier, workload.interactive);
  } catch (error) {
    client.close();
    throw error;
  }
}
