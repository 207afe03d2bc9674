/**
 * How long a product takes from the creation of its process to its first answer, as its user would see it.
 *
 *   server    `node main.js` is started; once it says where it listens, a client connects and asks: over MySQL for what
 *             a statement without tables answers, over HTTP for `/health`.
 *   library   `node program.mjs` is started, which imports it, opens a directory, reads a row and says so.
 * What the asking itself costs (a connection, a login) is part of it.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import type { Contract } from "../contract/contract.ts";
import { propertyName } from "../foundry/client-module.ts";
import { MySqlClient } from "./clients/mysql-client.ts";

export type StartSurface = "mysql" | "http" | "embedded";

export function startSurfaceOf({ surface }: Contract): StartSurface {
  return (["mysql", "http", "embedded"] as const).find((one) => surface.protocols.includes(one)) ?? "mysql";
}

/** Writes the program that uses a library; returns its path. */
export function writeLibraryProgram(directory: string, productDirectory: string, contract: Contract): string {
  const built = ["dist/product.js", "product.ts"].map((name) => join(productDirectory, name)).find(existsSync);
  const [table] = contract.data.tables;
  const text = `import { open } from ${JSON.stringify(pathToFileURL(built as string).href)};
const store = await open(process.argv[2]);
for (const row of store[${JSON.stringify(propertyName(table.name))}].scan({ limit: 1 })) void row;
console.log(JSON.stringify({ event: "answered" }));
await store.close();
`;
  const file = join(directory, "program.mjs");
  writeFileSync(file, text);
  return file;
}

/** Milliseconds until the first answer. Errors: what the product wrote to stderr, where it ended before. */
export async function timeStart(program: string, dataDirectory: string, surface: StartSurface): Promise<number> {
  const ports = surface === "mysql" ? ["--mysql-port", "0"] : ["--http-port", "0"];
  const arguments_ = surface === "embedded" ? [dataDirectory] : ["--data", dataDirectory, ...ports];
  const beganAt = performance.now();
  const child = spawn(process.execPath, [program, ...arguments_], {
    stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, LATHE_PASSWORD: "start" },
  });
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => (said += bytes.toString()));
  const ended = once(child, "close");
  try {
    const line = await Promise.race([
      once(createInterface({ input: child.stdout }), "line"),
      ended.then(() => Promise.reject(new Error(`the product ended before it answered: ${said}`))),
    ]);
    await ask(surface, JSON.parse(String(line[0])) as { mysqlPort?: number; httpPort?: number });
    return performance.now() - beganAt;
  } finally {
    if (surface !== "embedded") child.kill("SIGTERM");
    await ended;
  }
}

async function ask(surface: StartSurface, { mysqlPort, httpPort }: { mysqlPort?: number; httpPort?: number }) {
  if (surface === "http") {
    const answer = await fetch(`http://127.0.0.1:${httpPort}/health`);
    if (!answer.ok) throw new Error(`/health answers ${answer.status}`);
    await answer.text();
  } else if (surface === "mysql") {
    const endpoint = { host: "127.0.0.1", port: mysqlPort as number, user: "lathe", password: "start" };
    const client = await MySqlClient.connect({ ...endpoint, socketPath: undefined });
    await client.query("SELECT @@version");
    client.close();
  }
}
