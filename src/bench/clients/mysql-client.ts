/**
 * MySqlClient: one lean connection to a MySQL server, for measuring. Shares no code with `parts/`, so that
 * a mistake in our server's protocol is not mirrored here.
 *
 * Steps of a request:
 *   1. The caller writes one packet into `request` and calls `send` with a handler; it leaves in one write.
 *   2. Answers are parsed in the buffer in which they arrive; only a packet cut by the buffer's end is
 *      copied.
 *   3. The handler sees rows (in place, see `RowView`), the end of each result, and the end of all.
 * One request is in flight per connection. Text and prepared protocol, several results per request.
 *
 * | packet | first byte | rest                                                             |
 * | OK     | 00 (or FE) | affected rows, insert id (length-encoded), status u16, warnings   |
 * | EOF    | FE, < 9 B  | warnings u16, status u16                                          |
 * | ERR    | FF         | code u16, '#', SQLSTATE, message                                  |
 * Source: MySQL's client/server protocol documentation.
 */
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Endpoint } from "../../fleet/server.ts";
import { assert } from "../../kit/assert.ts";
import { LatheError } from "../../kit/errors.ts";
import { isLoopback } from "../../kit/loopback.ts";
import { columnsMax, RowView } from "../../workload/row-view.ts";
import { asksForTls, authenticate } from "./mysql-handshake.ts";
import { MySqlError } from "./mysql-error.ts";
import { RequestBuffer } from "./request-buffer.ts";
import { decodeBinaryRow, decodeTextRow, wireOf } from "./row-decoder.ts";

const receiveBytes = 64 << 10;
const packetBytesMax = 64 << 20;
const moreResultsExist = 0x0008;

const command = { quit: 0x01, query: 0x03, prepare: 0x16, execute: 0x17 } as const;

type Phase = "idle" | "packet" | "header" | "columns" | "columnsEnd" | "rows";

export interface ResultHandler {
  /** `row` is valid during the call. `result` counts the results of the request from 0. */
  onRow(row: RowView, result: number): void;
  /** A result has ended: of a statement without rows with what it changed, else with 0. */
  onResult(result: number, affectedRows: number): void;
  /** The request is done; of a failed one the results before the error were seen. */
  onDone(error: Error | undefined): void;
}

export interface PreparedHandle {
  readonly id: number;
  readonly parameterCount: number;
  /** Learnt from the first result; the definitions of later ones are skipped. */
  columnWire: Uint8Array | undefined;
  /** Parameter types are sent with the first execution only, as libmysqlclient does. */
  typesSent: boolean;
}

export interface QueryResult {
  readonly affectedRows: number;
  readonly rows: readonly (readonly (string | null)[])[];
}

export class MySqlClient {
  readonly request = new RequestBuffer();
  #socket: Socket;
  readonly #row = new RowView();
  #deprecateEof = false;

  #pending = Buffer.alloc(0);
  #pendingLength = 0;
  #sequence = 0;

  #phase: Phase = "packet";
  #handler: ResultHandler | undefined;
  #prepared: PreparedHandle | undefined;
  #columnWire = new Uint8Array(columnsMax);
  #columnCount = 0;
  #columnsLeft = 0;
  #result = 0;
  #failure: Error | undefined;
  /** Packets of the connection phase and of PREPARE go one by one to whoever waits for them. */
  readonly #packets: Buffer[] = [];
  #packetWaiter: { resolve: (payload: Buffer) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /**
   * Under TLS beyond loopback where the server offers it, and wherever it asks for it. Who the server is is checked
   * where the endpoint says whom to trust; then nothing goes beyond loopback without TLS, and nothing at all where an
   * authority was named. Errors: TIMEOUT, IO_ERROR (nobody listens), PERMISSION (password, certificate), PROTOCOL.
   */
  static async connect(endpoint: Endpoint, timeoutMs = 10_000): Promise<MySqlClient> {
    const far = !isLoopback(endpoint.host) || endpoint.tls?.ca !== undefined;
    try {
      return await MySqlClient.#open(endpoint, timeoutMs, far);
    } catch (error) {
      if (far || !asksForTls(error)) throw error;
      return await MySqlClient.#open(endpoint, timeoutMs, true);
    }
  }

  static async #open(endpoint: Endpoint, timeoutMs: number, secure: boolean): Promise<MySqlClient> {
    const socket = connect({
      host: endpoint.host,
      port: endpoint.port,
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafeSlow(receiveBytes),
        callback: (length, buffer) => {
          client.#onBytes(buffer as Buffer, length);
          return true;
        },
      },
    });
    const client = new MySqlClient(socket);
    socket.on("error", (error) => client.#fail(connectionError(endpoint, error)));
    socket.on("close", () => client.#fail(connectionError(endpoint)));
    const timer = setTimeout(() => {
      const place = `${endpoint.host}:${endpoint.port}`;
      client.#fail(new LatheError("TIMEOUT", `${place} did not answer within ${timeoutMs} ms`));
      socket.destroy();
    }, timeoutMs);
    try {
      const { deprecateEof } = await authenticate(endpoint, {
        receive: () => client.#receivePacket(),
        send: (payload) => client.#sendPlain(payload),
        secure: secure ? () => client.#secure(endpoint) : undefined,
        isTlsDemanded: secure && endpoint.tls !== undefined,
      });
      client.#deprecateEof = deprecateEof;
      client.#phase = "idle";
      return client;
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends what `request` holds. `prepared` is given for its executions. */
  send(handler: ResultHandler, prepared?: PreparedHandle): void {
    assert(this.#phase === "idle", "one request is in flight per connection");
    if (this.#failure !== undefined) return handler.onDone(this.#failure);
    this.#handler = handler;
    this.#prepared = prepared;
    this.#result = 0;
    this.#phase = "header";
    this.#socket.write(this.request.finish());
  }

  beginQuery(): void {
    this.request.begin(command.query);
  }

  /**
   * Begins the execution of a prepared statement; the values follow in order. `types` has two bytes per
   * parameter.
   */
  beginExecute(prepared: PreparedHandle, types: Uint8Array): void {
    const request = this.request;
    request.begin(command.execute);
    request.u32(prepared.id);
    request.u8(0);
    request.u32(1);
    if (prepared.parameterCount === 0) return;
    request.zeros((prepared.parameterCount + 7) >>> 3);
    if (prepared.typesSent) {
      request.u8(0);
    } else {
      request.u8(1);
      request.bytes(types);
      prepared.typesSent = true;
    }
  }

  /** Errors: MySqlError, CLOSED. */
  query(sql: string): Promise<QueryResult[]> {
    this.beginQuery();
    this.request.utf8(sql);
    return new Promise((resolve, reject) => {
      const results: QueryResult[] = [];
      let rows: (string | null)[][] = [];
      this.send({
        onRow: (row) => rows.push(textsOf(row)),
        onResult: (_, affectedRows) => {
          results.push({ affectedRows, rows });
          rows = [];
        },
        onDone: (error) => (error === undefined ? resolve(results) : reject(error)),
      });
    });
  }

  async prepare(sql: string): Promise<PreparedHandle> {
    assert(this.#phase === "idle", "one request is in flight per connection");
    if (this.#failure !== undefined) throw this.#failure;
    this.request.begin(command.prepare);
    this.request.utf8(sql);
    this.#phase = "packet";
    this.#socket.write(this.request.finish());
    const answer = await this.#receivePacket();
    if (answer[0] === 0xff) {
      this.#phase = "idle";
      throw MySqlError.decode(answer, 0, answer.length);
    }
    const id = answer.readUInt32LE(1);
    const columns = answer.readUInt16LE(5);
    const parameterCount = answer.readUInt16LE(7);
    const ends = this.#deprecateEof ? 0 : (columns > 0 ? 1 : 0) + (parameterCount > 0 ? 1 : 0);
    for (let packets = columns + parameterCount + ends; packets > 0; packets--) await this.#receivePacket();
    this.#phase = "idle";
    return { id, parameterCount, columnWire: undefined, typesSent: false };
  }

  /** Says goodbye and closes. */
  close(): void {
    if (this.#failure === undefined) {
      this.request.begin(command.quit);
      this.#failure = new LatheError("CLOSED", "the connection was closed by its owner");
      this.#socket.end(this.request.finish());
    }
    this.#socket.destroySoon();
  }

  #secure(endpoint: Endpoint): Promise<void> {
    const { host, tls } = endpoint;
    const secured = connectTls({
      socket: this.#socket, host, rejectUnauthorized: tls !== undefined,
      ...(isIP(host) === 0 ? { servername: host } : {}), ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    });
    this.#socket = secured;
    secured.on("data", (chunk: Buffer) => this.#onBytes(chunk, chunk.length));
    return new Promise((resolve, reject) => {
      secured.once("secureConnect", resolve);
      const fail = (error?: Error) => {
        const reason = certificateError(endpoint, error) ?? connectionError(endpoint, error);
        this.#fail(reason);
        reject(reason);
      };
      secured.on("error", fail);
      secured.on("close", () => fail());
    });
  }

  #receivePacket(): Promise<Buffer> {
    const ready = this.#packets.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#packetWaiter = { resolve, reject };
    });
  }

  #sendPlain(payload: Uint8Array): void {
    this.request.beginPlain();
    this.request.bytes(payload);
    // Two packets may go out in a row: the request for TLS, and the answer to the greeting.
    this.#sequence = (this.#sequence + 1) & 0xff;
    this.#socket.write(this.request.finish(this.#sequence));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#packetWaiter?.reject(this.#failure);
    this.#packetWaiter = undefined;
    this.#done(this.#failure);
  }

  #done(error: Error | undefined): void {
    const handler = this.#handler;
    this.#handler = undefined;
    if (this.#phase !== "packet") this.#phase = "idle";
    handler?.onDone(error);
  }

  #onBytes(received: Buffer, length: number): void {
    let bytes = received;
    let end = length;
    if (this.#pendingLength > 0) {
      this.#append(received, 0, length);
      bytes = this.#pending;
      end = this.#pendingLength;
    }
    let position = 0;
    while (end - position >= 4) {
      const size = bytes[position] | (bytes[position + 1] << 8) | (bytes[position + 2] << 16);
      if (end - position - 4 < size) break;
      this.#sequence = bytes[position + 3];
      this.#packet(bytes, position + 4, size);
      position += 4 + size;
    }
    if (bytes === this.#pending) {
      if (position < end) bytes.copyWithin(0, position, end);
      this.#pendingLength = end - position;
    } else if (position < end) {
      this.#append(bytes, position, end);
    }
  }

  #append(source: Buffer, start: number, end: number): void {
    const needed = this.#pendingLength + end - start;
    if (needed > this.#pending.length) {
      if (needed > packetBytesMax) {
        this.#protocolError(`an answer has a packet of more than ${packetBytesMax} bytes`);
        return;
      }
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, receiveBytes, this.#pending.length * 2));
      this.#pending.copy(larger, 0, 0, this.#pendingLength);
      this.#pending = larger;
    }
    source.copy(this.#pending, this.#pendingLength, start, end);
    this.#pendingLength = needed;
  }

  #packet(bytes: Buffer, start: number, size: number): void {
    switch (this.#phase) {
      case "rows":
        return this.#rowPacket(bytes, start, size);
      case "columns":
        return this.#columnPacket(bytes, start);
      case "header":
        return this.#headerPacket(bytes, start, size);
      case "columnsEnd":
        this.#phase = "rows";
        return;
      case "packet": {
        const copy = Buffer.from(bytes.subarray(start, start + size));
        const waiter = this.#packetWaiter;
        this.#packetWaiter = undefined;
        if (waiter === undefined) this.#packets.push(copy);
        else waiter.resolve(copy);
        return;
      }
      default:
        this.#protocolError("the server sent a packet that nobody asked for");
    }
  }

  #headerPacket(bytes: Buffer, start: number, size: number): void {
    const first = bytes[start];
    if (first === 0x00) return this.#okPacket(bytes, start);
    if (first === 0xff) return this.#done(MySqlError.decode(bytes, start, size));
    if (first > columnsMax) return this.#protocolError(`a result has ${first} columns`);
    this.#columnCount = first;
    this.#columnsLeft = first;
    this.#row.columns = first;
    this.#phase = "columns";
  }

  #columnPacket(bytes: Buffer, start: number): void {
    const known = this.#prepared?.columnWire;
    const column = this.#columnCount - this.#columnsLeft;
    if (known === undefined) {
      // Six texts (catalog, schema, table, table, name, name), then 0C, charset u16, length u32, type.
      let position = start;
      for (let text = 0; text < 6; text++) {
        const length = bytes[position];
        position += length < 251 ? 1 + length : 3 + (bytes[position + 1] | (bytes[position + 2] << 8));
      }
      this.#columnWire[column] = wireOf(bytes[position + 7]);
    }
    if (--this.#columnsLeft > 0) return;
    if (this.#prepared !== undefined) this.#prepared.columnWire ??= this.#columnWire.slice(0, this.#columnCount);
    this.#phase = this.#deprecateEof ? "rows" : "columnsEnd";
  }

  #rowPacket(bytes: Buffer, start: number, size: number): void {
    const first = bytes[start];
    if (first === 0xfe && size < 0xffffff && (this.#deprecateEof || size < 9)) {
      if (this.#deprecateEof) return this.#okPacket(bytes, start);
      return this.#endResult(bytes[start + 3] | (bytes[start + 4] << 8), 0);
    }
    if (first === 0xff) return this.#done(MySqlError.decode(bytes, start, size));
    const row = this.#row;
    row.bytes = bytes;
    const end =
      this.#prepared === undefined
        ? decodeTextRow(row, this.#columnWire, start)
        : decodeBinaryRow(row, this.#prepared.columnWire as Uint8Array, start);
    if (end !== start + size) return this.#protocolError("a row is longer or shorter than its columns");
    (this.#handler as ResultHandler).onRow(row, this.#result);
  }

  #okPacket(bytes: Buffer, start: number): void {
    let position = start + 1;
    let affectedRows = bytes[position++];
    if (affectedRows >= 0xfc) {
      const width = affectedRows === 0xfc ? 2 : affectedRows === 0xfd ? 3 : 6;
      affectedRows = bytes.readUIntLE(position, width);
      position += width === 6 ? 8 : width;
    }
    const insertId = bytes[position++];
    if (insertId >= 0xfc) position += insertId === 0xfc ? 2 : insertId === 0xfd ? 3 : 8;
    this.#endResult(bytes[position] | (bytes[position + 1] << 8), affectedRows);
  }

  #endResult(status: number, affectedRows: number): void {
    (this.#handler as ResultHandler).onResult(this.#result++, affectedRows);
    if ((status & moreResultsExist) !== 0) this.#phase = "header";
    else this.#done(undefined);
  }

  #protocolError(what: string): void {
    this.#fail(new LatheError("PROTOCOL", what));
    this.#socket.destroy();
  }
}

function textsOf(row: RowView): (string | null)[] {
  const texts: (string | null)[] = [];
  for (let column = 0; column < row.columns; column++) {
    if (row.isNull(column)) texts.push(null);
    else {
      const start = row.start[column];
      texts.push(Buffer.from(row.bytes.subarray(start, start + row.length[column])).toString("utf8"));
    }
  }
  return texts;
}

/** Codes of OpenSSL and Node for certificates that nobody vouches for, or that are of another server. */
const certificateCodes = /^(ERR_TLS_CERT|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_SSL_|ERR_OSSL_)/;

/** A server that is not who it should be; undefined for every other failure. */
function certificateError({ host, port, tls }: Endpoint, cause: Error | undefined): LatheError | undefined {
  const code = (cause as { code?: unknown } | undefined)?.code;
  if (tls === undefined || typeof code !== "string" || !certificateCodes.test(code)) return undefined;
  const message = `the certificate of ${host}:${port} cannot be trusted (${cause?.message}); name the authority that ` +
    "signed it, or the certificate itself, by --ca FILE (a product keeps its own as tls-certificate.pem with its data)";
  return new LatheError("PERMISSION", message, { cause });
}

function connectionError(endpoint: Endpoint, cause?: Error): LatheError {
  const place = `${endpoint.host}:${endpoint.port}`;
  const code = (cause as { code?: string } | undefined)?.code;
  if (code === "ECONNREFUSED") {
    return new LatheError("IO_ERROR", `nobody listens on ${place}: is the server running?`, { cause });
  }
  const why = cause === undefined ? "the server closed the connection" : cause.message;
  return new LatheError("CLOSED", `connection to ${place} ended: ${why}`, { cause });
}
