/**
 * TCP and Unix-domain sockets over node:net, kept thin because every request passes here.
 *
 * Writes of one turn leave together: those made while a data handler runs are sent when it returns,
 * others at the end of the running callback. A pipelining client thus costs one system call per batch
 * of answers, not one per answer. Accepted connections are read past the stream (node-direct-read.ts); one that goes on
 * under TLS keeps its handlers and changes its socket.
 * They are written past it, too (node-direct-write.ts), as long as it has nothing to write itself.
 */
import * as net from "node:net";
import * as tls from "node:tls";
import type { Connection, ListenOptions, Listener, Network, Written, TlsIdentity } from "./env.ts";
import { readDirectly } from "./node-direct-read.ts";
import { DirectWriter } from "./node-direct-write.ts";
import { listenOnPath } from "./node-local-socket.ts";
import { translateSystemError } from "./system-error.ts";

/** Up to here several writes are copied into one; beyond it they are handed over as a vector. */
const joinedBytesMax = 64 << 10;

type DataHandler = (bytes: Uint8Array) => void;
type CloseHandler = (error: Error | undefined) => void;

class NodeConnection implements Connection {
  readonly remoteAddress: string;
  #socket: net.Socket;
  #first: Uint8Array | undefined;
  #more: Uint8Array[] | undefined;
  #heldBytes = 0;
  #handling = false;
  #flushScheduled = false;
  /**
   * A caller was told to wait, so `onDrain` must follow, whether or not the socket itself ever fills
   * up.
   */
  #owesDrain = false;
  #dataHandler: DataHandler | undefined;
  #drainHandler: (() => void) | undefined;
  #closeHandler: CloseHandler | undefined;
  #error: Error | undefined;
  /** Bytes come by a call, not by events of the socket. */
  #direct = false;
  /** Undefined where all goes through the socket. */
  #writer: DirectWriter | undefined;

  /** `unnamed`: what the peer is called where its socket has no address. */
  constructor(socket: net.Socket, accepted = false, unnamed = "unknown") {
    this.remoteAddress = `${socket.remoteAddress ?? unnamed}:${socket.remotePort ?? 0}`;
    socket.setNoDelay(true);
    const direct = accepted ? readDirectly(socket, (bytes) => this.#received(bytes)) : undefined;
    this.#direct = direct !== undefined;
    this.#socket = direct ?? socket;
    this.#writer = accepted ? DirectWriter.open(this.#socket, () => this.reportDrained()) : undefined;
    this.#attach(this.#socket);
  }

  #attach(socket: net.Socket): void {
    socket.on("drain", () => this.reportDrained());
    socket.on("error", (error) => (this.#error ??= translateSystemError(error, "talk to", this.remoteAddress)));
    socket.once("close", () => {
      const handler = this.#closeHandler;
      this.#closeHandler = undefined;
      handler?.(this.#error);
    });
  }

  get bufferedBytes(): number {
    return this.#heldBytes + this.#socket.writableLength + (this.#writer?.pendingBytes ?? 0);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#first === undefined) this.#first = bytes;
    else if (this.#more === undefined) this.#more = [bytes];
    else this.#more.push(bytes);
    this.#heldBytes += bytes.length;
    if (!this.#handling && !this.#flushScheduled) {
      this.#flushScheduled = true;
      process.nextTick(flushScheduled, this);
    }
    return !this.#isFull();
  }

  writeNow(bytes: Uint8Array): Written {
    if (this.#first === undefined) {
      const written = this.#writeDirectly(bytes);
      if (written === "taken") return "taken";
      if (written === "held") return this.#isFull() ? "full" : "held";
    }
    return this.write(bytes) ? "held" : "full";
  }

  /** Who is told so is told when to go on. */
  #isFull(): boolean {
    if (this.bufferedBytes < this.#socket.writableHighWaterMark) return false;
    this.#owesDrain = true;
    return true;
  }

  #writeDirectly(bytes: Uint8Array): "taken" | "held" | "refused" {
    const writer = this.#writer;
    const socket = this.#socket;
    if (writer === undefined || writer.pendingBytes > 0 || socket.writableLength > 0) return "refused";
    // A peer that has gone is told by `onClose`.
    return socket.writable ? writer.write(bytes) : "taken";
  }

  onData(handler: DataHandler): void {
    this.#dataHandler = handler;
    if (!this.#direct) this.#socket.on("data", (bytes: Buffer) => this.#received(bytes));
  }

  #received(bytes: Buffer): void {
    const handler = this.#dataHandler;
    if (handler === undefined) return;
    this.#handling = true;
    try {
      handler(bytes);
    } finally {
      this.#handling = false;
      if (this.#first !== undefined) this.#flush();
    }
  }

  onDrain(handler: () => void): void {
    this.#drainHandler = handler;
  }

  onClose(handler: CloseHandler): void {
    this.#closeHandler = handler;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#flush();
    this.#socket.end();
  }

  destroy(): void {
    this.#first = undefined;
    this.#more = undefined;
    this.#heldBytes = 0;
    this.#socket.destroy();
  }

  startTls(identity: TlsIdentity, received: Uint8Array): void {
    const plain = this.#socket;
    this.#flush();
    plain.removeAllListeners("data");
    plain.removeAllListeners("drain");
    plain.pause();
    // What has been read already goes back in front of what has not, so that TLS sees the whole handshake.
    if (received.length > 0) plain.unshift(Buffer.from(received));
    const secureContext = secureContextOf(identity);
    const secured = new tls.TLSSocket(plain, { isServer: true, secureContext, requestCert: false });
    this.#socket = secured;
    this.#direct = false;
    this.#writer = undefined;
    this.#attach(secured);
    if (this.#dataHandler !== undefined) this.onData(this.#dataHandler);
  }

  /** Public for the tick queue only. */
  flushAtEndOfCallback(): void {
    this.#flushScheduled = false;
    if (!this.#handling) this.#flush();
  }

  #flush(): void {
    const first = this.#first;
    if (first === undefined) return;
    const more = this.#more;
    const total = this.#heldBytes;
    this.#first = undefined;
    this.#more = undefined;
    this.#heldBytes = 0;
    // A peer that has gone is told by `onClose`; writing to its socket would only raise a second error.
    if (!this.#socket.writable) return;
    if (more === undefined) {
      if (this.#writeDirectly(first) === "refused") this.#socket.write(first);
    } else if (total <= joinedBytesMax) this.#socket.write(Buffer.concat([first, ...more], total));
    else this.#writeVector(first, more);
    if (this.#owesDrain && !this.#needsDrain) process.nextTick(reportDrained, this);
  }

  get #needsDrain(): boolean {
    return this.#socket.writableNeedDrain || (this.#writer?.pendingBytes ?? 0) > 0;
  }

  #writeVector(first: Uint8Array, more: readonly Uint8Array[]): void {
    this.#socket.cork();
    this.#socket.write(first);
    for (const bytes of more) this.#socket.write(bytes);
    this.#socket.uncork();
  }

  /** Public for the tick queue only. */
  reportDrained(): void {
    if (!this.#owesDrain || this.#needsDrain) return;
    this.#owesDrain = false;
    this.#drainHandler?.();
  }
}

const secureContexts = new WeakMap<TlsIdentity, tls.SecureContext>();

function secureContextOf(identity: TlsIdentity): tls.SecureContext {
  let context = secureContexts.get(identity);
  if (context === undefined) {
    const { certificatePem: cert, privateKeyPem: key } = identity;
    context = tls.createSecureContext({ cert, key, minVersion: "TLSv1.2" });
    secureContexts.set(identity, context);
  }
  return context;
}

function flushScheduled(connection: NodeConnection): void {
  connection.flushAtEndOfCallback();
}

function reportDrained(connection: NodeConnection): void {
  connection.reportDrained();
}

class NodeListener implements Listener {
  readonly host: string;
  readonly port: number;
  readonly #server: net.Server;

  constructor(server: net.Server) {
    const address = server.address() as net.AddressInfo | string;
    this.host = typeof address === "string" ? address : address.address;
    this.port = typeof address === "string" ? 0 : address.port;
    this.#server = server;
    // Errors of a listening socket (out of descriptors) concern single connections; the server goes on.
    server.removeAllListeners("error");
    server.on("error", () => undefined);
  }

  /**
   * Node's `close` calls back when the last connection is gone; accepting ends at once, which is what
   * we promise.
   */
  close(): Promise<void> {
    this.#server.close();
    return Promise.resolve();
  }
}

export class NodeNetwork implements Network {
  listen(options: ListenOptions, onConnection: (connection: Connection) => void): Promise<Listener> {
    return new Promise((resolve, reject) => {
      const server = net.createServer({ noDelay: true }, (socket) => onConnection(new NodeConnection(socket, true)));
      const refuse = (error: Error) => {
        reject(translateSystemError(error, "listen on", `${options.host}:${options.port}`));
      };
      server.once("error", refuse);
      server.listen({ host: options.host, port: options.port, backlog: options.backlog }, () => {
        resolve(new NodeListener(server));
      });
    });
  }

  async listenOnPath(path: string, onConnection: (connection: Connection) => void): Promise<Listener> {
    const server = net.createServer((socket) => onConnection(new NodeConnection(socket, true, "localhost")));
    await listenOnPath(server, path);
    return new NodeListener(server);
  }

  connect(options: { host: string; port: number }): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host: options.host, port: options.port, noDelay: true });
      const refuse = (error: Error) => {
        reject(translateSystemError(error, "connect to", `${options.host}:${options.port}`));
      };
      socket.once("error", refuse);
      socket.once("connect", () => {
        socket.off("error", refuse);
        resolve(new NodeConnection(socket));
      });
    });
  }
}
