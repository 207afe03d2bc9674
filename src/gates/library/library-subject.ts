/** What gates need of a library: a process that has it open (`library-host.ts`), and connections to that. */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { join } from "node:path";
import type { TableSpec } from "../../contract/contract.ts";
import { loadContract } from "../../contract/parse.ts";
import { LocalProcess } from "../../fleet/local-process.ts";
import { processServer } from "../../fleet/process-server.ts";
import type { RunningServer } from "../../fleet/server.ts";
import type { GateSubject } from "../gate.ts";
import type { LibraryReply, LibraryRequest } from "./library-host.ts";
import { hasRoomForNumbers } from "./library-rows.ts";

const startTimeoutMs = 60_000;
/** `.ts` when run from source, `.js` when run from emitted code. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));

/** A host that has the library open, or what the library refused to open with. */
export type LibraryStart =
  | { readonly server: RunningServer; readonly refusal?: undefined }
  | { readonly server?: undefined; readonly refusal: { readonly code: string | undefined; readonly message: string } };

/** Opens the library on `<workDirectory>/data` in a process of its own. Errors: CLOSED, TIMEOUT. */
export async function tryLibrary({ productDirectory, workDirectory, knobs }: GateSubject): Promise<LibraryStart> {
  const host = join(import.meta.dirname, `library-host${extension}`);
  const own = await LocalProcess.start({
    name: "library",
    command: process.execPath,
    args: ["--disable-warning=ExperimentalWarning", host, productDirectory, join(workDirectory, "data"),
      JSON.stringify(knobs)],
  });
  try {
    const said = await own.waitForLine(eventOf, startTimeoutMs);
    if (said.event === "listening") {
      const endpoint = { host: "127.0.0.1", port: said.port, user: "", password: "" };
      return { server: processServer(own, endpoint) };
    }
    await own.kill();
    return { refusal: said };
  } catch (error) {
    await own.kill();
    throw error;
  }
}

type HostEvent =
  | { readonly event: "listening"; readonly port: number }
  | { readonly event: "refused"; readonly code: string | undefined; readonly message: string };

function eventOf(line: string): HostEvent | undefined {
  return line.startsWith('{"event":') ? (JSON.parse(line) as HostEvent) : undefined;
}

/** As `tryLibrary`, where nothing may be in the way. */
export async function startLibrary(subject: GateSubject): Promise<RunningServer> {
  const { server, refusal } = await tryLibrary(subject);
  if (server === undefined) throw new Error(`the library does not open: ${refusal.code}: ${refusal.message}`);
  return server;
}

/** The tables that rows can be made for. */
export function tablesOf(productDirectory: string): TableSpec[] {
  return loadContract(join(productDirectory, "contract.yaml")).data.tables.filter(hasRoomForNumbers);
}

export class LibraryConnection {
  readonly #socket: Socket;
  readonly #waiting: { resolve(reply: LibraryReply): void; reject(error: Error): void }[] = [];
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const lines = createInterface({ input: socket });
    lines.on("line", (line) => this.#waiting.shift()?.resolve(JSON.parse(line) as LibraryReply));
    // The socket's errors come here as well.
    lines.on("error", () => undefined);
    socket.on("error", () => socket.destroy()).on("close", () => {
      this.#isClosed = true;
      for (const { reject } of this.#waiting.splice(0)) reject(new Error("the connection broke"));
    });
  }

  static open({ endpoint }: RunningServer): Promise<LibraryConnection> {
    const socket = connect(endpoint.port, endpoint.host);
    return new Promise((resolve, reject) => {
      socket.setNoDelay(true).once("error", reject).once("connect", () => resolve(new LibraryConnection(socket)));
    });
  }

  /** Rejects where the connection breaks before the answer. */
  ask(request: LibraryRequest): Promise<LibraryReply> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(new Error("the connection broke"));
      this.#waiting.push({ resolve, reject });
      this.#socket.write(`${JSON.stringify(request)}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
