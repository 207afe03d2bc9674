/**
 * A ConnectionProtocol without a network: bytes go in by call, answers come out as packets; time is
 * set by hand.
 */
import type { Logger } from "../../../../../kit/env/env.ts";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import { ManualClock } from "../../manual-clock.fixture.ts";
import type { AuthenticationOptions } from "./authentication.ts";
import { ConnectionProtocol } from "./connection-protocol.ts";
import type { TlsState } from "./handshake.ts";
import type { MysqlLimits } from "./limits.ts";
import { createProtocolContext } from "./protocol-context.ts";
import type { ProtocolContext, ProtocolHost } from "./protocol-context.ts";
import { command, frame, handshakeResponse, nativeScramble, nonceOf, packetsOf, wantedCapabilities } from "./raw-client.fixture.ts";
import type { Packet } from "./raw-client.fixture.ts";
import { ScriptedExecutor } from "./scripted-executor.fixture.ts";

export const credentials = { user: "lathe", password: "correct horse" };

/** Seeded bytes, so that nonces and with them golden packets are the same in every run. */
export function seededRandom(seed = 1) {
  let state = seed;
  const u32 = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
  return { u32, bytes: (length: number) => Uint8Array.from({ length }, () => u32() >>> 24) };
}

export class RecordingLog implements Logger {
  readonly lines: { level: string; event: string; fields: unknown }[] = [];
  debug = (event: string, fields?: unknown) => void this.lines.push({ level: "debug", event, fields });
  info = (event: string, fields?: unknown) => void this.lines.push({ level: "info", event, fields });
  warn = (event: string, fields?: unknown) => void this.lines.push({ level: "warn", event, fields });
  error = (event: string, fields?: unknown) => void this.lines.push({ level: "error", event, fields });
}

export interface HarnessOptions {
  readonly limits?: Partial<MysqlLimits>;
  readonly authentication?: AuthenticationOptions;
  readonly context?: ProtocolContext;
  readonly tlsState?: TlsState;
}

export class ProtocolHarness implements ProtocolHost {
  readonly executor = new ScriptedExecutor(rowToKv);
  readonly clock = new ManualClock();
  readonly log = new RecordingLog();
  readonly context: ProtocolContext;
  readonly protocol: ConnectionProtocol;
  /** Pieces as they were sent, one per write. */
  readonly writes: Buffer[] = [];
  readonly remoteAddress = "127.0.0.1:1";
  unsent = 0;
  /** What came behind a request for TLS. */
  tlsReceived: Buffer | undefined;
  settledCount = 0;

  constructor(options: HarnessOptions = {}) {
    this.context = options.context ?? createProtocolContext(
      { clock: this.clock, random: seededRandom(), log: this.log },
      { executor: this.executor, credentials, layout: rowToKv, ...options },
    );
    this.protocol = new ConnectionProtocol(this.context, this, 1, options.tlsState);
    this.protocol.greet();
  }

  send(bytes: Uint8Array): boolean {
    this.writes.push(Buffer.from(bytes));
    return true;
  }

  destroy(): void {
    this.protocol.disconnected();
  }

  unsentTooMuch(): boolean {
    return this.unsent > this.context.unsent.max;
  }

  unsentBytes(): number {
    return this.unsent;
  }

  blocked(): boolean {
    return this.unsent > 0;
  }

  settled(): void {
    this.settledCount++;
  }

  startTls(received: Uint8Array): void {
    this.tlsReceived = Buffer.from(received);
  }

  /** What was sent since the last call. */
  take(): Packet[] {
    return packetsOf(Buffer.concat(this.writes.splice(0)));
  }

  /** Sends bytes and returns what comes back at once. */
  ask(bytes: Uint8Array): Packet[] {
    this.protocol.receive(bytes);
    return this.take();
  }

  query(sql: string): Packet[] {
    return this.ask(command(0x03, sql));
  }

  logIn(capabilities = wantedCapabilities): this {
    const [greeting] = this.take();
    const scramble = nativeScramble(credentials.password, nonceOf(greeting));
    const answer = this.ask(frame(1, handshakeResponse({ user: credentials.user, scramble, capabilities })));
    if (answer.length !== 1 || answer[0].payload[0] !== 0) throw new Error("the login was refused");
    return this;
  }
}

/** Number of an error packet, or undefined where it is another packet. */
export function errorNumberOf(packet: Packet | undefined): number | undefined {
  return packet?.payload[0] === 0xff ? packet.payload.readUInt16LE(1) : undefined;
}
