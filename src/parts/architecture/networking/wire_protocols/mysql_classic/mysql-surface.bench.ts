/**
 * What the surface itself costs: server CPU per query beside a plain node:net server that answers
 * fixed bytes.
 *
 *   node src/parts/architecture/networking/wire_protocols/mysql_classic/mysql-surface.bench.ts [seconds
 *   per block] [blocks]
 *
 * Each server is a process of its own, driven by this process with 8 connections, one query in
 * flight on each; blocks of the servers alternate. The executor answers one stored row (timestamp,
 * 150 characters), so everything above the plain server's figure is protocol: framing, parameters,
 * dispatch, encoding. CPU is process.cpuUsage of the server. `--cpu-prof` profiles the servers into
 * the working directory.
 */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { createNodeEnv } from "../../../../../kit/env/node-env.ts";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import { openMysqlSurface } from "./mysql-surface.ts";
import {
  command, executeCommand, frame, handshakeResponse, nativeScramble, nonceOf, packetsOf,
} from "./raw-client.fixture.ts";
import type { Executor, ExecutorSession, PreparedStatement, ResultSink } from "../../../../query_processing/executor.ts";
import { objectsTable, shapeOf } from "./scripted-executor.fixture.ts";

const connections = 8;
const credentials = { user: "bench", password: "bench" };
const sql = "SELECT timestamp, value FROM objects WHERE id=?";
const key = 5_764_607_523_034_234_881n;

/** Answers every statement with the same stored row and looks at nothing. */
class FixedRowExecutor implements Executor, ExecutorSession {
  readonly inTransaction = false;
  readonly autocommit = true;
  readonly #shape = shapeOf(objectsTable, [1, 2]);
  readonly #key = rowToKv.encodeKey(objectsTable, [key]);
  readonly #value = rowToKv.encodeValue(objectsTable, [key, 1_700_000_000_123_456_789n, "v".repeat(150)]);

  openSession(): this {
    return this;
  }

  reset(): void {}

  prepare(): PreparedStatement {
    return { parameterCount: 1, shape: this.#shape };
  }

  execute(_statement: PreparedStatement, _parameters: readonly unknown[], sink: ResultSink): undefined {
    return this.#answer(sink);
  }

  query(sql: string, sink: ResultSink): Promise<void> | undefined {
    if (sql !== "later") return this.#answer(sink);
    return new Promise((resolve) => {
      setImmediate(() => resolve(this.#answer(sink)));
    });
  }

  metrics() {
    return [];
  }

  #answer(sink: ResultSink): undefined {
    sink.rows(this.#shape);
    sink.storedRow(this.#key, this.#value);
    sink.end();
  }
}

if (process.argv[2] === "serve") await serve(process.argv[3] ?? "");
else await compare();

async function serve(kind: string): Promise<void> {
  let port = 0;
  if (kind === "surface") {
    const env = createNodeEnv();
    const executor = new FixedRowExecutor();
    const surface = openMysqlSurface(env, { executor, credentials, layout: rowToKv });
    ({ port } = await surface.listen({ host: "127.0.0.1", port: 0 }));
  } else {
    const answer = Buffer.from(kind, "hex");
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on("data", () => socket.write(answer));
      socket.on("error", () => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    port = (server.address() as { port: number }).port;
  }
  process.on("message", (message) => {
    if (message === "stop") process.exit(0);
    process.send?.(process.cpuUsage());
  });
  process.send?.(port);
}

/** A server process and what to send it. */
interface Target {
  readonly name: string;
  readonly server: ChildProcess;
  readonly sockets: Socket[];
  readonly request: Buffer;
  readonly answerBytes: number;
  readonly cpuUs: number[];
  readonly perSecond: number[];
}

async function compare(): Promise<void> {
  const blockMs = Number(process.argv[2] ?? 2) * 1000;
  const blocks = Number(process.argv[3] ?? 5);
  const surface = await start("surface");
  const binary = executeCommand(1, [key]);
  const text = command(0x03, sql.replace("?", String(key)));
  const later = command(0x03, "later");
  const probe = await logIn(surface.port);
  const binaryAnswer = await ask(probe, binary);
  const textAnswer = await ask(probe, text);
  probe.destroy();
  const fixed = await start(binaryAnswer.toString("hex"));
  const targets: Target[] = [];
  const add = async (name: string, at: Started, request: Buffer, answer: Buffer, logged: boolean) => {
    const sockets: Socket[] = [];
    for (let i = 0; i < connections; i++) sockets.push(await (logged ? logIn(at.port) : open(at.port)));
    targets.push({
      name, server: at.server, sockets, request, answerBytes: answer.length, cpuUs: [], perSecond: [],
    });
  };
  await add("plain node:net, fixed bytes", fixed, binary, binaryAnswer, false);
  await add("surface, prepared", surface, binary, binaryAnswer, true);
  await add("surface, text", surface, text, textAnswer, true);
  await add("surface, text, a turn later", surface, later, textAnswer, true);
  for (let block = -1; block < blocks; block++) {
    for (const target of targets) {
      const { queries, cpuUs, elapsedMs } = await drive(target, blockMs);
      if (block < 0) continue;
      target.cpuUs.push(cpuUs / queries);
      target.perSecond.push((queries / elapsedMs) * 1000);
    }
  }
  const base = median(targets[0].cpuUs);
  for (const { name, cpuUs, perSecond } of targets) {
    const middle = median(cpuUs);
    process.stdout.write(
      `${name.padEnd(28)} ${middle.toFixed(2)} us CPU per query (${Math.min(...cpuUs).toFixed(2)} to ` +
        `${Math.max(...cpuUs).toFixed(2)}), ${(middle / base).toFixed(2)} of plain, ` +
        `${Math.round(median(perSecond))} per second\n`,
    );
  }
  for (const { server } of [surface, fixed]) server.send("stop");
  for (const { sockets } of targets) for (const socket of sockets) socket.destroy();
}

interface Started {
  readonly server: ChildProcess;
  readonly port: number;
}

function start(kind: string): Promise<Started> {
  const profile = process.execArgv.includes("--cpu-prof") ? ["--cpu-prof"] : [];
  const server = fork(import.meta.filename, ["serve", kind], { execArgv: profile });
  return new Promise((resolve) => server.once("message", (port) => resolve({ server, port: port as number })));
}

function cpuOf(server: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    server.once("message", (usage) => {
      const { user, system } = usage as NodeJS.CpuUsage;
      resolve(user + system);
    });
    server.send("cpu");
  });
}

async function drive(target: Target, blockMs: number) {
  const { sockets, request, answerBytes } = target;
  const before = await cpuOf(target.server);
  const startedMs = performance.now();
  let queries = 0;
  await Promise.all(
    sockets.map((socket) => new Promise<void>((resolve) => {
      let received = 0;
      const onData = (bytes: Buffer) => {
        received += bytes.length;
        if (received < answerBytes) return;
        received = 0;
        queries++;
        if (performance.now() - startedMs < blockMs) {
          socket.write(request);
          return;
        }
        socket.off("data", onData);
        resolve();
      };
      socket.on("data", onData);
      socket.write(request);
    })),
  );
  const elapsedMs = performance.now() - startedMs;
  return { queries, cpuUs: (await cpuOf(target.server)) - before, elapsedMs };
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => resolve(socket));
  });
}

/** Everything that comes within a few milliseconds after a request. */
function ask(socket: Socket, request: Buffer | undefined): Promise<Buffer> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    const onData = (bytes: Buffer) => {
      if (pieces.length === 0) {
        setTimeout(() => {
          socket.off("data", onData);
          resolve(Buffer.concat(pieces));
        }, 20);
      }
      pieces.push(bytes);
    };
    socket.on("data", onData);
    if (request !== undefined) socket.write(request);
  });
}

async function logIn(port: number): Promise<Socket> {
  const socket = await open(port);
  const [greeting] = packetsOf(await ask(socket, undefined));
  const scramble = nativeScramble(credentials.password, nonceOf(greeting));
  await ask(socket, frame(1, handshakeResponse({ user: credentials.user, scramble })));
  await ask(socket, command(0x16, sql));
  return socket;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
