/**
 * Listening on a Unix-domain socket, for clients of the same user on the same machine.
 *
 * Algorithm:
 *   1. A path that is longer than every system takes is refused: it would be cut off.
 *   2. What is there already: a socket that nobody answers is a dead server's, and is removed; one that is answered is
 *      in use; anything else is not ours, and stays.
 *   3. The socket is made with mode 0600, so that there is no moment in which others may open it.
 *   4. Closing the listener removes it.
 * Of two servers that start at one moment on the path of a dead one, the later may take it from the first; who wants to
 * be sure keeps the socket beside data that are locked.
 * Source: MySQL's and PostgreSQL's handling of their socket files.
 */
import { lstatSync, unlinkSync } from "node:fs";
import * as net from "node:net";
import { isMainThread } from "node:worker_threads";
import { LatheError } from "../errors.ts";
import { translateSystemError } from "./system-error.ts";

/** Without the final zero; 107 on Linux, 103 on macOS. */
const pathBytesMax = 103;

/** Resolves when it listens. Errors: INVALID_ARGUMENT, ADDRESS_IN_USE, ALREADY_EXISTS, PERMISSION, IO_ERROR. */
export async function listenOnPath(server: net.Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > pathBytesMax) {
    const message = `cannot listen on ${path}: a socket has a path of at most ${pathBytesMax} bytes; use a shorter one`;
    throw new LatheError("INVALID_ARGUMENT", message);
  }
  await clearPath(path);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(translateSystemError(error, "listen on", path)));
    // The file is made within the call. Threads cannot set the mask; they make no files that others should read.
    const before = isMainThread ? process.umask(0o177) : undefined;
    try {
      server.listen({ path }, resolve);
    } finally {
      if (before !== undefined) process.umask(before);
    }
  });
}

async function clearPath(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new LatheError("ALREADY_EXISTS", `cannot listen on ${path}: a file that is no socket is there; move it away`);
  }
  if (await isAnswered(path)) {
    const message = `cannot listen on ${path}: another process listens there; stop it or choose another path`;
    throw new LatheError("ADDRESS_IN_USE", message);
  }
  try {
    unlinkSync(path);
  } catch (error) {
    throw translateSystemError(error, "remove the socket of a server that has gone at", path);
  }
}

/** Only a refusal says that nobody is there: what cannot be asked may be in use. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ path });
    const answer = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("connect", () => answer(true));
    socket.once("error", (error: NodeJS.ErrnoException) => {
      answer(error.code !== "ECONNREFUSED" && error.code !== "ENOENT");
    });
  });
}
