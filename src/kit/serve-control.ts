/**
 * The control socket of a product: how a process of the same user on the same machine asks a running server for a
 * checkpoint.
 *
 * A Unix socket `control.sock` in the data directory, mode 0600: whoever can open it can read the data files anyway, so
 * the operating system is the authentication, and nothing listens on the network. One JSON line asks, one answers:
 *
 *   | request                                    | answer                                                        |
 *   |--------------------------------------------|---------------------------------------------------------------|
 *   | {"command":"checkpoint","name":"NAME"}     | {"ok":true,"directory":"checkpoints/NAME"}                    |
 *   | anything else, or a failure                | {"ok":false,"code":"CODE","message":"…"}                      |
 *
 * A checkpoint has hard links to the tables and costs little space while it is young; who asked for it removes it.
 * Limits: 4 connections, 4 KiB per request. Where the path is too long for a socket, or the file system has none, the
 * server runs without and says so in its log.
 * Source: PostgreSQL's pg_ctl and HAProxy's stats socket.
 */
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { Logger } from "./env/env.ts";
import { errorCodeOf, LatheError } from "./errors.ts";

export const controlSocketName = "control.sock";
export const checkpointsName = "checkpoints";

const requestBytesMax = 4096;
const connectionsMax = 4;
/** Of a Unix socket's address on Linux, without the final zero. */
const pathBytesMax = 107;

/** `checkpoint` writes one into a directory that does not exist yet. Resolves when the socket is open, or cannot be. */
export async function serveControl(
  dataDirectory: string,
  log: Logger,
  checkpoint: (directory: string) => Promise<void>,
): Promise<Server | undefined> {
  const path = join(dataDirectory, controlSocketName);
  if (Buffer.byteLength(path) > pathBytesMax) {
    log.warn("no control socket", { path, reason: `a socket's path has at most ${pathBytesMax} bytes` });
    return undefined;
  }
  // The directory's lock is ours, so a socket that is there is a dead server's.
  rmSync(path, { force: true });
  const server = createServer((socket) => answer(socket, dataDirectory, checkpoint));
  server.maxConnections = connectionsMax;
  const before = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
    chmodSync(path, 0o600);
  } catch (error) {
    log.warn("no control socket", { path, reason: (error as Error).message });
    return undefined;
  } finally {
    process.umask(before);
  }
  server.unref();
  return server;
}

function answer(socket: Socket, dataDirectory: string, checkpoint: (directory: string) => Promise<void>): void {
  let text = "";
  let asked = false;
  socket.on("error", () => socket.destroy());
  socket.setEncoding("utf8");
  socket.on("data", (part: string) => {
    if (asked) return;
    text += part;
    if (text.length > requestBytesMax) return socket.destroy();
    const end = text.indexOf("\n");
    if (end < 0) return;
    asked = true;
    const say = (line: object) => socket.end(`${JSON.stringify(line)}\n`);
    void carryOut(text.slice(0, end), dataDirectory, checkpoint).then(say);
  });
}

async function carryOut(
  line: string,
  dataDirectory: string,
  checkpoint: (directory: string) => Promise<void>,
): Promise<Record<string, unknown>> {
  try {
    const request = JSON.parse(line) as { command?: unknown; name?: unknown } | null;
    const name = request?.name;
    if (request?.command !== "checkpoint" || typeof name !== "string" || !/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
      throw new LatheError("INVALID_ARGUMENT", 'expected {"command":"checkpoint","name":"letters, digits, _ and -"}');
    }
    const directory = `${checkpointsName}/${name}`;
    await checkpoint(join(dataDirectory, directory));
    return { ok: true, directory };
  } catch (error) {
    return { ok: false, code: errorCodeOf(error) ?? "IO_ERROR", message: (error as Error).message };
  }
}
