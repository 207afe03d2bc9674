/**
 * One connection of the MySQL client/server protocol as a sans-I/O state machine: bytes in, bytes
 * out, calls on the executor in between. It knows no socket, and nothing is thrown out of it.
 *
 * Algorithm of `receive`:
 *   1. Cut the chunk into packets where it lies; a payload of 16 MiB - 1 goes on in the next frame.
 *      What is incomplete is kept (inbound-buffer.ts).
 *   2. Hand each packet to the login or, once it has ended, to the session. Commands that can be
 *      answered at once are.
 *   3. A command that must wait makes the connection busy: what comes behind it is kept, and goes
 *      on when it is answered. One that has had its turn (`turnUs`) goes on after the others: between two commands,
 *      or between two statements of a text.
 *   4. Send what was written, as one piece.
 *
 * Invariants:
 *   1. Answers leave in the order of the commands.
 *   2. No command runs before the login has ended; until then packets are at most `loginBytesMax`.
 *   3. Lengths are checked against the limits before memory is taken for them.
 *   4. A sequence number out of order, an oversized packet or a malformed login ends the
 *      connection; a malformed command is answered with an error.
 * Source: "Client/Server Protocol" in MySQL's source documentation; net_serv.cc for framing;
 * etcd/raft for the form.
 */
import type { SessionProcess } from "../../../../query_processing/executor.ts";
import { commandCode } from "./command-code.ts";
import { InboundBuffer } from "../../inbound-buffer.ts";
import { Login } from "./login.ts";
import { OutputBuffer } from "./output-buffer.ts";
import type { PacketReader } from "./packet-reader.ts";
import type { ProtocolContext, ProtocolHost } from "./protocol-context.ts";
import { ResultWriter } from "./result-writer.ts";
import { Session } from "./session.ts";
import type { TlsState } from "./handshake.ts";
import { protocolError } from "./wire-error.ts";
import type { ProtocolErrorKind } from "./wire-error.ts";

/** A global is looked up at every use. */
const NodeBuffer = Buffer;
const headerBytes = 4;
const frameBytesMax = 0xff_ff_ff;
/** Results go to the network in pieces of about this size. */
const pieceBytes = 64 * 1024;

export class ConnectionProtocol {
  /** `closed`: nothing more is read or answered. */
  phase: "login" | "command" | "closed" = "login";
  /** A statement is waiting for the executor. */
  busy = false;
  /** When bytes last came, by the monotonic clock. */
  lastReceivedUs: number;
  /** When the login, the first or a later one, began. */
  loginSinceUs: number;
  readonly #context: ProtocolContext;
  readonly #host: ProtocolHost;
  readonly #output: OutputBuffer;
  readonly #results: ResultWriter;
  readonly #login: Login;
  readonly #session: Session;
  readonly #inbound: InboundBuffer;
  #packetBytesMax: number;
  #draining = false;
  /** Commands wait for the next turn. */
  #yielding = false;
  /** When this connection's turn began. */
  #turnSinceUs: number;
  /** Lets a text go on that waits between two statements, or ends it. */
  #goOn: ((wanted: boolean) => void) | undefined;
  #killed = false;
  /** The client has asked for TLS: what comes behind its request is not for this protocol. */
  #startsTls = false;
  #startedUs = 0;

  constructor(context: ProtocolContext, host: ProtocolHost, connectionId: number, tls: TlsState = "absent") {
    this.#context = context;
    this.#host = host;
    this.#output = new OutputBuffer(context.slab, (bytes) => this.#send(bytes));
    this.#results = new ResultWriter({
      output: this.#output,
      shapes: context.shapes,
      layout: context.layout,
      metrics: context.metrics,
      pieceBytes,
      resultBufferBytesMax: context.limits.resultBufferBytesMax,
      unsentBytes: () => host.unsentBytes(),
      unsentTooMuch: () => host.unsentTooMuch(),
      between: () => this.#between(),
    });
    this.#login = new Login(context, this.#output, this.#results, tls);
    this.#session = new Session(context, connectionId, this.#output, this.#results);
    this.#results.session = this.#session;
    this.#inbound = new InboundBuffer(context.inbound);
    this.#packetBytesMax = context.limits.loginBytesMax;
    this.lastReceivedUs = this.loginSinceUs = this.#turnSinceUs = context.clock.monotonicUs();
  }

  /** Bytes that wait to be handled: half a packet, or commands behind a statement that waits. */
  get keptBytes(): number {
    return this.#inbound.length;
  }

  /** Whether reading on would only pile up what comes behind something that waits. */
  get waiting(): boolean {
    return this.busy || this.#yielding;
  }

  /** Sends the greeting. */
  greet(): void {
    this.loginSinceUs = this.#context.clock.monotonicUs();
    this.#login.greet(this.#session.connectionId);
    this.#output.flush();
  }

  /** Takes bytes from the client, which are valid during the call only. */
  receive(chunk: Uint8Array): void {
    if (this.phase === "closed") return;
    const context = this.#context;
    context.metrics.bytesReceived += chunk.length;
    this.lastReceivedUs = this.#startedUs = this.#turnSinceUs = context.clock.monotonicUs();
    const bytes =
      chunk instanceof NodeBuffer ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const inbound = this.#inbound;
    if (inbound.length === 0) {
      const end = this.#consume(bytes, 0, bytes.length);
      if (end < bytes.length) this.#keep(bytes, end);
    } else {
      this.#keep(bytes, 0);
      this.#consumeKept();
    }
    this.#output.flush();
  }

  /** Goes on after the client has taken what it was sent. */
  proceed(): void {
    if (this.phase === "closed") return;
    this.#startedUs = this.#turnSinceUs = this.#context.clock.monotonicUs();
    if (this.#goOn !== undefined) return this.#leaveBetween(true);
    if (this.waiting) return;
    this.#consumeKept();
    this.#output.flush();
  }

  /** What others see of this connection. */
  describe(nowUs: number): SessionProcess {
    const { connectionId, user, database, runningText } = this.#session;
    const idle = this.phase === "login" ? "Connect" : "Sleep";
    return {
      connectionId, user: user.slice(0, user.indexOf("@")), host: this.#host.remoteAddress, database,
      command: this.busy || runningText !== undefined ? "Query" : idle,
      seconds: Math.max(0, Math.floor((nowUs - this.lastReceivedUs) / 1e6)),
      info: runningText,
    };
  }

  /** Ends the running text before its next statement, or the connection. */
  kill(what: "connection" | "query"): void {
    if (what === "connection") return this.#host.destroy();
    if (!this.busy) return;
    this.#killed = true;
    if (this.#goOn !== undefined) {
      this.#sayInterrupted();
      this.#leaveBetween(false);
    }
  }

  /** Between two statements of a text: undefined to go on in this turn. */
  #between(): Promise<boolean> | undefined {
    if (this.phase === "closed") return Promise.resolve(false);
    if (this.#killed) {
      this.#sayInterrupted();
      return Promise.resolve(false);
    }
    const { clock, limits } = this.#context;
    if (this.#output.pendingBytes > pieceBytes) this.#output.flush();
    const blocked = this.#host.blocked();
    if (!blocked && clock.monotonicUs() - this.#turnSinceUs <= limits.turnUs) return undefined;
    this.#output.flush();
    const wanted = new Promise<boolean>((resolve) => (this.#goOn = resolve));
    // Where the client reads slowly, `proceed` comes when it has read.
    if (!blocked) clock.defer(() => this.#leaveBetween(true));
    return wanted;
  }

  #leaveBetween(wanted: boolean): void {
    const goOn = this.#goOn;
    if (goOn === undefined) return;
    this.#goOn = undefined;
    this.#turnSinceUs = this.#context.clock.monotonicUs();
    goOn(wanted);
  }

  #sayInterrupted(): void {
    if (!this.#results.answered) this.#results.error(protocolError("interrupted", "Query execution was interrupted"));
  }

  /** Lets others have their turn before the commands that are kept. */
  #yield(): void {
    this.#yielding = true;
    this.#context.clock.defer(() => {
      this.#yielding = false;
      this.proceed();
      this.#host.settled();
    });
  }

  /** Takes no more commands; the running one is answered, then the phase is `closed`. */
  drain(): void {
    this.#draining = true;
    if (!this.busy) this.#close();
  }

  /** The connection has gone: gives back what it held. A running statement ends unseen. */
  disconnected(): void {
    this.#close();
    this.#results.markAnswered();
    this.#output.discard();
    this.#leaveBetween(false);
  }

  #send(bytes: Uint8Array): boolean {
    this.#context.metrics.bytesSent += bytes.length;
    return this.#host.send(bytes);
  }

  #close(): void {
    this.phase = "closed";
    this.#session.reset();
    this.#inbound.release();
  }

  #keep(bytes: Buffer, start: number): void {
    if (this.phase === "closed") return;
    const { pipelineBytesMax } = this.#context.limits;
    const waiting = this.waiting || this.#host.blocked();
    // The answer to the running statement is not complete, so there is no place for an error packet.
    if (waiting && this.#inbound.length + bytes.length - start > pipelineBytesMax) return this.#close();
    if (!this.#inbound.append(bytes, start, bytes.length)) {
      this.#refuse("out_of_resources", "no memory is left for half-sent packets; try again later");
    }
  }

  #consumeKept(): void {
    const inbound = this.#inbound;
    if (inbound.length === 0 || this.waiting) return;
    inbound.consume(this.#consume(inbound.bytes, inbound.start, inbound.end));
  }

  /**
   * Handles the whole packets in bytes [start, end); returns where the first incomplete or delayed
   * one begins.
   */
  #consume(bytes: Buffer, start: number, end: number): number {
    let offset = start;
    // A client that pipelines faster than it reads is not served on until it has read.
    while (end - offset >= headerBytes && !this.waiting && !this.#host.blocked()) {
      const length = bytes[offset] | (bytes[offset + 1] << 8) | (bytes[offset + 2] << 16);
      const payload = offset + headerBytes;
      if (length > this.#packetBytesMax) return this.#refuseLength(end, bytes[offset + 3]);
      if (length === frameBytesMax) {
        const next = this.#consumeFrames(bytes, offset, end);
        if (next === offset) return offset;
        offset = next;
      } else {
        if (end - payload < length) return offset;
        const sequence = bytes[offset + 3];
        this.#handle(bytes, payload, payload + length, sequence, sequence);
        offset = payload + length;
      }
      if (this.phase === "closed") return end;
      if (this.#startsTls) {
        this.#startsTls = false;
        this.#host.startTls(bytes.subarray(offset, end));
        return end;
      }
      if (this.#output.pendingBytes > pieceBytes) this.#output.flush();
      if (offset < end && this.#startedUs - this.#turnSinceUs > this.#context.limits.turnUs) this.#yield();
    }
    return offset;
  }

  /** A payload in several frames: joined once all are there. Returns `start` as long as they are not. */
  #consumeFrames(bytes: Buffer, start: number, end: number): number {
    let total = 0;
    let offset = start;
    let length = frameBytesMax;
    const frames: Buffer[] = [];
    const firstSequence = bytes[start + 3];
    while (length === frameBytesMax) {
      if (end - offset < headerBytes) return start;
      length = bytes[offset] | (bytes[offset + 1] << 8) | (bytes[offset + 2] << 16);
      total += length;
      const sequence = bytes[offset + 3];
      if (total > this.#packetBytesMax) return this.#refuseLength(end, sequence);
      if (sequence !== ((firstSequence + frames.length) & 0xff)) return this.#refuseOrder(end, sequence);
      offset += headerBytes + length;
      if (offset > end) return start;
      frames.push(bytes.subarray(offset - length, offset));
    }
    const payload = Buffer.concat(frames, total);
    this.#handle(payload, 0, total, firstSequence, (firstSequence + frames.length - 1) & 0xff);
    return offset;
  }

  #handle(bytes: Buffer, start: number, end: number, firstSequence: number, lastSequence: number): void {
    const output = this.#output;
    const expected = this.phase === "login" ? output.sequence : 0;
    if (firstSequence !== expected) {
      this.#refuseOrder(end, firstSequence);
      return;
    }
    output.sequence = (lastSequence + 1) & 0xff;
    const reader = this.#context.reader.reset(bytes, start, end);
    if (this.phase === "login") this.#handleLogin(reader);
    else if (end === start) this.#refuse("malformed", "a command packet is empty");
    else this.#handleCommand(reader.u8(), reader);
  }

  #handleLogin(reader: PacketReader): void {
    try {
      const outcome = this.#login.handle(reader);
      if (outcome === "refused") this.#close();
      this.#startsTls = outcome === "tls";
      if (outcome !== "accepted") return;
      this.phase = "command";
      const { user, database } = this.#login;
      const { remoteAddress } = this.#host;
      this.#session.user = `${user}@${remoteAddress.slice(0, remoteAddress.lastIndexOf(":"))}`;
      this.#session.database = database;
      this.#packetBytesMax = this.#context.limits.packetBytesMax;
    } catch {
      this.#refuse("handshake", "the login packet is malformed");
    }
  }

  #handleCommand(command: number, reader: PacketReader): void {
    this.#context.metrics.countCommand(command);
    if (command === commandCode.quit) return this.#close();
    this.#results.begin(command === commandCode.execute);
    let pending: Promise<void> | undefined;
    try {
      if (command === commandCode.changeUser) return this.#changeUser(reader);
      this.#killed = false;
      pending = this.#session.run(command, reader);
    } catch (error) {
      this.#session.conclude(error ?? new Error("something undefined was thrown"));
      this.#ended();
      return;
    }
    if (pending === undefined) {
      if (!this.#results.answered) this.#session.conclude(undefined);
      this.#ended();
      return;
    }
    this.busy = true;
    pending.then(
      () => this.#settle(undefined),
      (error: unknown) => this.#settle(error ?? new Error("a promise was rejected with nothing")),
    );
  }

  #changeUser(reader: PacketReader): void {
    this.#session.reset();
    this.phase = "login";
    this.loginSinceUs = this.#startedUs;
    this.#packetBytesMax = this.#context.limits.loginBytesMax;
    try {
      this.#login.changeUser(reader);
    } catch {
      this.#refuse("handshake", "the packet that changes the user is malformed");
    }
  }

  #settle(thrown: unknown): void {
    this.busy = false;
    this.#turnSinceUs = this.#context.clock.monotonicUs();
    if (this.phase !== "closed") {
      this.#session.conclude(thrown);
      this.#ended();
      if (this.#draining) this.#close();
      else this.#consumeKept();
      this.#output.flush();
    }
    this.#host.settled();
  }

  #ended(): void {
    this.#session.runningText = undefined;
    const { clock, metrics } = this.#context;
    const nowUs = clock.monotonicUs();
    metrics.commandLatency.record(nowUs - this.#startedUs);
    this.#startedUs = nowUs;
  }

  #refuseLength(end: number, sequence: number): number {
    const max = this.#packetBytesMax;
    this.#output.sequence = (sequence + 1) & 0xff;
    this.#refuse("packet_too_large", `a packet is larger than ${max} bytes; send less at once`);
    return end;
  }

  #refuseOrder(end: number, sequence: number): number {
    this.#output.sequence = (sequence + 1) & 0xff;
    this.#refuse("out_of_order", "packets are out of order");
    return end;
  }

  /** Answers with an error and closes. */
  #refuse(kind: ProtocolErrorKind, message: string): void {
    this.#results.error(protocolError(kind, message));
    this.#close();
  }
}
