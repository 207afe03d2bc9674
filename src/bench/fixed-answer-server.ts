/**
 * A process that speaks just enough HTTP to answer every request of a key-value workload with a fixed answer, as
 * cheaply as Node allows: what a driver reaches against it is the driver's ceiling over HTTP.
 *
 * Steps: the end of a head is looked for, its Content-Length is skipped over, and one of three answers goes out, by
 * the first letters of the target. It holds no data, listens on loopback, and ends with its parent.
 */
import { createServer, type Socket } from "node:net";

const letters = "abcdefghijklmnopqrstuvwxyz".repeat(4).slice(0, 64);
const scanned = 50;

function answer(status: string, body: string): Buffer {
  const type = body === "" ? "" : "Content-Type: application/json\r\n";
  const head = `HTTP/1.1 ${status}\r\n${type}ETag: "1"\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.from(`${head}${body}`, "latin1");
}

const item = `{"key":"key0000000","val":"${letters}"`;
const got = answer("200 OK", `${item}}`);
const stored = answer("201 Created", "");
const listed = Array.from({ length: scanned }, () => `${item},"etag":"\\"1\\""}`).join(",");
const page = answer("200 OK", `{"items":[${listed}],"cursor":null}`);

const headEnd = Buffer.from("\r\n\r\n", "latin1");
const lengthField = Buffer.from("Content-Length: ", "latin1");
/** Of the letter behind "GET /". */
const letterOfScan = 0x73;
const postLetter = 0x50;

class FixedConnection {
  readonly #socket: Socket;
  #pending: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => this.#onBytes(bytes));
    socket.on("error", () => socket.destroy());
  }

  #onBytes(received: Buffer): void {
    let bytes = this.#pending.length === 0 ? received : Buffer.concat([this.#pending, received]);
    while (bytes.length > 0) {
      const end = bytes.indexOf(headEnd);
      if (end < 0) break;
      const isWrite = bytes[0] === postLetter;
      const size = isWrite ? end + 4 + lengthOf(bytes, end) : end + 4;
      if (bytes.length < size) break;
      this.#socket.write(isWrite ? stored : bytes[5] === letterOfScan ? page : got);
      bytes = bytes.subarray(size);
    }
    this.#pending = bytes;
  }
}

function lengthOf(bytes: Buffer, end: number): number {
  const at = bytes.indexOf(lengthField);
  return at < 0 || at > end ? 0 : Number.parseInt(bytes.toString("latin1", at + lengthField.length, end), 10);
}

const server = createServer((socket) => void new FixedConnection(socket));
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as { port: number };
  process.stdout.write(`${JSON.stringify({ event: "listening", httpPort: port })}\n`);
});
process.on("SIGTERM", () => process.exit(0));
