/**
 * A process that speaks just enough MySQL to answer every SELECT with fixed rows and everything else with
 * OK, as cheaply as Node allows: what a driver reaches against it is the driver's ceiling.
 *
 * Steps: answers are encoded once per statement; an execution is one lookup and one write. A text of
 * several statements gets one result per statement, flagged and numbered as the protocol demands. No
 * password is checked: it holds no data, listens on loopback, and ends with its parent.
 */
import { createServer, type Socket } from "node:net";

const moreResultsExist = 0x0008;
const autocommit = 0x0002;
/** PROTOCOL_41, SECURE_CONNECTION, CONNECT_WITH_DB, MULTI_*, PLUGIN_AUTH, DEPRECATE_EOF. */
const capabilities = 0x8208 | (0x010f << 16);
const deprecateEof = 1 << 24;
const type = { bigint: 0x08, varchar: 0xfd } as const;
const letters = "abcdefghijklmnopqrstuvwxyz".repeat(6);

function packet(payload: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUIntLE(payload.length, 0, 3);
  return Buffer.concat([header, payload]);
}

/** Numbers the packets of a response from 1. */
function numbered(response: Buffer): Buffer {
  for (let position = 0, sequence = 1; position < response.length; sequence++) {
    response[position + 3] = sequence & 0xff;
    position += 4 + response.readUIntLE(position, 3);
  }
  return response;
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
}

function okPayload(header: number, affectedRows: number, more: boolean): Buffer {
  return Buffer.of(header, affectedRows, 0, autocommit | (more ? moreResultsExist : 0), 0, 0, 0);
}

interface Column {
  readonly name: string;
  readonly isInteger: boolean;
}

/** The columns of a SELECT; `*` stands for YCSB's key and ten fields. */
function columnsOf(sql: string): readonly Column[] {
  const list = /^\s*SELECT\s+(.*?)\s+FROM\s/is.exec(sql)?.[1];
  if (list === undefined) return /^\s*SELECT\b/i.test(sql) ? [{ name: "1", isInteger: true }] : [];
  if (list === "*") return Array.from({ length: 11 }, (_, index) => ({ name: `field${index}`, isInteger: false }));
  return list.split(",").map((name) => ({ name: name.trim(), isInteger: name.trim() === "timestamp" }));
}

function columnPacket({ name, isInteger }: Column): Buffer {
  const fixed = Buffer.alloc(13);
  fixed[0] = 0x0c;
  fixed.writeUInt16LE(45, 1);
  fixed.writeUInt32LE(isInteger ? 20 : 600, 3);
  fixed[7] = isInteger ? type.bigint : type.varchar;
  return packet(Buffer.concat([text("def"), text("x"), text("t"), text("t"), text(name), text(name), fixed]));
}

function rowPacket(columns: readonly Column[], binary: boolean): Buffer {
  const length = columns.length > 2 ? 100 : 150;
  const cells = columns.map(({ isInteger }) => {
    if (!isInteger) return text(letters.slice(0, length));
    if (!binary) return text("1759218604441600123");
    const cell = Buffer.alloc(8);
    cell.writeBigInt64LE(1759218604441600123n);
    return cell;
  });
  const head = binary ? Buffer.alloc(1 + ((columns.length + 9) >>> 3)) : Buffer.alloc(0);
  return packet(Buffer.concat([head, ...cells]));
}

/** Clients that do not know CLIENT_DEPRECATE_EOF read this behind definitions and rows. */
function eofPacket(more: boolean): Buffer {
  return packet(Buffer.of(0xfe, 0, 0, autocommit | (more ? moreResultsExist : 0), 0));
}

/** The answer to one statement, not yet numbered. `eof`: for clients that read EOF packets. */
function answerOf(sql: string, binary: boolean, more: boolean, eof: boolean): Buffer {
  const columns = columnsOf(sql);
  if (columns.length === 0) {
    const changes = /^\s*(INSERT|UPDATE|DELETE)\b/i.test(sql) ? 1 : 0;
    return packet(okPayload(0x00, changes, more));
  }
  const rows = Number(/\bLIMIT\s+(\d+)\s*$/i.exec(sql)?.[1] ?? 1);
  const row = rowPacket(columns, binary);
  return Buffer.concat([
    packet(Buffer.of(columns.length)),
    ...columns.map(columnPacket),
    ...(eof ? [eofPacket(false)] : []),
    ...Array.from({ length: rows }, () => row),
    eof ? eofPacket(more) : packet(okPayload(0xfe, 0, more)),
  ]);
}

/** Answers by the first words of a statement: literals differ from one to the next, the answers do not. */
const textAnswers = new Map<string, Buffer>();

function textAnswer(sql: string, more: boolean, eof: boolean): Buffer {
  const statement = sql.trimStart();
  const key = `${/\bLIMIT\b/.test(statement) ? statement : statement.slice(0, 24)}${more ? "+" : ""}${eof ? "e" : ""}`;
  let answer = textAnswers.get(key);
  if (answer === undefined) {
    answer = answerOf(statement, false, more, eof);
    if (textAnswers.size < 1000) textAnswers.set(key, answer);
  }
  return answer;
}

function queryAnswer(sql: string, eof: boolean): Buffer {
  if (!sql.startsWith("START TRANSACTION;")) return numbered(Buffer.from(textAnswer(sql, false, eof)));
  const statements = sql.split("; ");
  return numbered(Buffer.concat(statements.map((one, index) => textAnswer(one, index < statements.length - 1, eof))));
}

class FixedConnection {
  readonly #socket: Socket;
  readonly #prepared: Buffer[] = [];
  #pending: Buffer = Buffer.alloc(0);
  #authenticated = false;
  #eof = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => this.#onBytes(bytes));
    socket.on("error", () => socket.destroy());
    socket.write(greeting);
  }

  #onBytes(received: Buffer): void {
    let bytes = this.#pending.length === 0 ? received : Buffer.concat([this.#pending, received]);
    while (bytes.length >= 4) {
      const size = bytes.readUIntLE(0, 3);
      if (bytes.length < 4 + size) break;
      this.#packet(bytes, 4, size);
      bytes = bytes.subarray(4 + size);
    }
    this.#pending = bytes;
  }

  #packet(bytes: Buffer, start: number, size: number): void {
    if (!this.#authenticated) {
      this.#authenticated = true;
      this.#eof = size >= 4 && (bytes.readUInt32LE(start) & deprecateEof) === 0;
      const done = packet(okPayload(0x00, 0, false));
      done[3] = 2;
      this.#socket.write(done);
      return;
    }
    switch (bytes[start]) {
      case 0x17:
        this.#socket.write(this.#prepared[bytes.readUInt32LE(start + 1) - 1]);
        return;
      case 0x03:
        this.#socket.write(queryAnswer(bytes.toString("latin1", start + 1, start + size), this.#eof));
        return;
      case 0x16:
        this.#prepare(bytes.toString("latin1", start + 1, start + size));
        return;
      case 0x01:
        this.#socket.end();
        return;
      default:
        this.#socket.write(numbered(packet(okPayload(0x00, 0, false))));
    }
  }

  #prepare(sql: string): void {
    const columns = columnsOf(sql);
    const parameters = sql.split("?").length - 1;
    this.#prepared.push(numbered(answerOf(sql, true, false, this.#eof)));
    const head = Buffer.alloc(12);
    head.writeUInt32LE(this.#prepared.length, 1);
    head.writeUInt16LE(columns.length, 5);
    head.writeUInt16LE(parameters, 7);
    const parameter = columnPacket({ name: "?", isInteger: false });
    const end = this.#eof ? [eofPacket(false)] : [];
    const definitions = [
      ...Array.from({ length: parameters }, () => parameter), ...(parameters > 0 ? end : []),
      ...columns.map(columnPacket), ...(columns.length > 0 ? end : []),
    ];
    this.#socket.write(numbered(Buffer.concat([packet(head), ...definitions])));
  }
}

function makeGreeting(): Buffer {
  const tail = Buffer.alloc(2 + 1 + 2 + 2 + 1 + 10);
  tail.writeUInt16LE(capabilities & 0xffff, 0);
  tail[2] = 45;
  tail.writeUInt16LE(autocommit, 3);
  tail.writeUInt16LE(capabilities >>> 16, 5);
  tail[7] = 21;
  const nonce = Buffer.from("abcdefghijklmnopqrst");
  return packet(
    Buffer.concat([
      Buffer.of(10), Buffer.from("8.0.0-fixed\0"), Buffer.of(1, 0, 0, 0), nonce.subarray(0, 8), Buffer.of(0), tail,
      nonce.subarray(8), Buffer.of(0), Buffer.from("mysql_native_password\0"),
    ]),
  );
}

const greeting = makeGreeting();
const server = createServer((socket) => void new FixedConnection(socket));
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as { port: number };
  process.stdout.write(`${JSON.stringify({ event: "listening", mysqlPort: port })}\n`);
});
process.on("SIGTERM", () => process.exit(0));
