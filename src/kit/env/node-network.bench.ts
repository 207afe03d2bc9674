/**
 * Server CPU per request of an echo over the Network port, against the same over bare node:net.
 * Run: `node src/kit/env/node-network.bench.ts`. Eight connections, one request of 100 bytes in flight
 * on each; the client is a process of its own.
 */
import { spawn } from "node:child_process";
import * as net from "node:net";
import { NodeNetwork } from "./node-network.ts";

const connections = 8;
const requestBytes = 100;
const seconds = 3;

const clientSource = `
  const net = require("node:net");
  for (let at = 0; at < ${connections}; at++) {
    const socket = net.connect({ port: Number(process.argv[1]), host: "127.0.0.1", noDelay: true });
    const bytes = Buffer.alloc(${requestBytes});
    socket.on("connect", () => socket.write(bytes));
    socket.on("data", () => socket.write(bytes));
  }
  setTimeout(() => process.exit(), ${seconds * 1000});`;

async function measure(name: string, port: number, requests: () => number): Promise<void> {
  const before = requests();
  const cpu = process.cpuUsage();
  const client = spawn(process.execPath, ["-e", clientSource, String(port)], { stdio: "inherit" });
  await new Promise((resolve) => client.once("exit", resolve));
  const { user, system } = process.cpuUsage(cpu);
  const count = requests() - before;
  console.log(`${name}: ${Math.round(count / seconds)} requests/s, ${((user + system) / count).toFixed(2)} µs CPU each`);
}

let requests = 0;
const answer = Buffer.alloc(requestBytes);

for (let round = 0; round < 2; round++) {
  const bare = net.createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.on("data", () => {
      requests++;
      socket.write(answer);
    });
  });
  await new Promise<void>((resolve) => bare.listen(0, "127.0.0.1", resolve));
  await measure("node:net", (bare.address() as net.AddressInfo).port, () => requests);
  bare.close();

  const listener = await new NodeNetwork().listen({ host: "127.0.0.1", port: 0 }, (connection) => {
    connection.onClose(() => undefined);
    connection.onData(() => {
      requests++;
      connection.write(answer);
    });
  });
  await measure("Network port", listener.port, () => requests);
  await listener.close();
}
