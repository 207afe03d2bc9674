/**
 * Starts a server that is a script of ours and says where it listens as products do: stubs and their like.
 */
import { LocalProcess } from "./local-process.ts";
import { processServer } from "./process-server.ts";
import { parseListening } from "./product-server.ts";
import type { RunningServer } from "./server.ts";

const startTimeoutMs = 20_000;

/** `scriptPath` is run by this Node. Errors: TIMEOUT, CLOSED. */
export async function startScriptServer(
  name: string,
  scriptPath: string,
  surface: "mysql" | "http" = "mysql",
): Promise<RunningServer> {
  const process_ = await LocalProcess.start({ name, command: process.execPath, args: [scriptPath] });
  try {
    const { port } = await process_.waitForLine((line) => parseListening(line, surface), startTimeoutMs);
    return processServer(process_, { host: "127.0.0.1", port, user: "lathe", password: "lathe" });
  } catch (error) {
    await process_.kill();
    throw error;
  }
}
