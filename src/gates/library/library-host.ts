/**
 * The process in which a gate has a library at work: `node library-host.ts PRODUCT DATA KNOBS`.
 *
 *   1. It opens the product's `open` on the directory, as a program of its user would, and says on stdout where it
 *   listens: `{"event":"listening","port":N}`; or that it could not: `{"event":"refused","code":C,"message":M}`.
 *   2. Per connection it takes a request per line and answers in order, a line each (`LibraryRequest`). A request is
 *   answered when the library's promise has resolved, and by nothing sooner.
 * It is the workshop's: a candidate brings none of its own.
 */
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { decodeRow, encodeRow, type WireRow } from "./library-rows.ts";

export interface LibraryStep {
  readonly kind: "put" | "insert" | "delete";
  readonly table: string;
  /** Of a delete: the key. */
  readonly row: WireRow;
}

/** Steps are one transaction; a table is read as a whole. */
export type LibraryRequest = { readonly steps: readonly LibraryStep[] } | { readonly scan: string };

export interface LibraryReply {
  readonly rows?: readonly WireRow[];
  readonly error?: { readonly code: string | undefined; readonly message: string };
}

/** What the host uses of a library, whatever its tables are. */
interface Store {
  transaction(build: (batch: Record<string, (table: unknown, row: object) => unknown>) => void): Promise<void>;
}

type Open = (directory: string, options: { knobs: unknown }) => Promise<Store>;

async function main([productDirectory, dataDirectory, knobs]: readonly string[]): Promise<void> {
  const modules = ["product.ts", "product.js"].map((name) => join(productDirectory, name));
  const file = modules.find((path) => existsSync(path));
  const { open } = (await import(pathToFileURL(file ?? productDirectory).href)) as { open: Open };
  let store: Store;
  try {
    store = await open(dataDirectory, { knobs: JSON.parse(knobs) });
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    console.log(JSON.stringify({ event: "refused", code, message }));
    return;
  }
  const server = createServer((socket) => void serve(store, socket));
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    console.log(JSON.stringify({ event: "listening", port: typeof address === "object" ? address?.port : undefined }));
  });
}

async function serve(store: Store, socket: Socket): Promise<void> {
  socket.setNoDelay(true).on("error", () => socket.destroy());
  const lines = createInterface({ input: socket });
  // The socket's errors come here as well; its requests have ended then.
  lines.on("error", () => undefined);
  for await (const line of lines) {
    const reply = await answer(store, JSON.parse(line) as LibraryRequest);
    socket.write(`${JSON.stringify(reply)}\n`);
  }
}

async function answer(store: Store, request: LibraryRequest): Promise<LibraryReply> {
  const tables = store as unknown as Readonly<Record<string, { scan(): Iterable<object> }>>;
  try {
    if ("scan" in request) return { rows: Array.from(tables[request.scan].scan(), encodeRow) };
    await store.transaction((batch) => {
      for (const { kind, table, row } of request.steps) batch[kind](tables[table], decodeRow(row));
    });
    return {};
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return { error: { code, message } };
  }
}

if (import.meta.main) await main(process.argv.slice(2));
