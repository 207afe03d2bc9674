/** A network whose other side is the test: it delivers bytes, takes them or leaves them, and closes. */
import type { Connection, Env, Listener, Network } from "../../../../../kit/env/env.ts";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import type { Surface } from "../../surface.ts";
import type { MysqlLimits } from "./limits.ts";
import { openMysqlSurface } from "./mysql-surface.ts";
import { credentials, ManualClock, RecordingLog, seededRandom } from "./protocol-harness.fixture.ts";
import { frame, handshakeResponse, nativeScramble, nonceOf, packetsOf } from "./raw-client.fixture.ts";
import type { Packet } from "./raw-client.fixture.ts";
import { ScriptedExecutor } from "./scripted-executor.fixture.ts";

export class ManualConnection implements Connection {
  readonly remoteAddress = "test";
  /** False: bytes are left unread. */
  taking = true;
  paused = false;
  ended = false;
  destroyed = false;
  bufferedBytes = 0;
  #written: Buffer[] = [];
  #onData: (bytes: Uint8Array) => void = () => {};
  #onDrain: () => void = () => {};
  #onClose: (error: Error | undefined) => void = () => {};

  write(bytes: Uint8Array): boolean {
    this.#written.push(Buffer.from(bytes));
    if (!this.taking) this.bufferedBytes += bytes.length;
    return this.taking;
  }

  onData(handler: (bytes: Uint8Array) => void): void {
    this.#onData = handler;
  }

  onDrain(handler: () => void): void {
    this.#onDrain = handler;
  }

  onClose(handler: (error: Error | undefined) => void): void {
    this.#onClose = handler;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#onClose(undefined);
  }

  take(): Packet[] {
    return packetsOf(Buffer.concat(this.#written.splice(0)));
  }

  ask(bytes: Uint8Array): Packet[] {
    this.#onData(bytes);
    return this.take();
  }

  /** Takes everything that was left, and goes on taking or not. */
  drain(taking = true): void {
    this.taking = taking;
    this.bufferedBytes = 0;
    this.#onDrain();
  }

  logIn(): this {
    const scramble = nativeScramble(credentials.password, nonceOf(this.take()[0]));
    this.ask(frame(1, handshakeResponse({ user: credentials.user, scramble })));
    return this;
  }
}

export interface ManualSurface {
  readonly surface: Surface;
  readonly executor: ScriptedExecutor;
  readonly clock: ManualClock;
  connect(): ManualConnection;
  readonly listening: () => boolean;
}

/** A surface that listens on a manual network. */
export async function openManualSurface(limits: Partial<MysqlLimits> = {}): Promise<ManualSurface> {
  const clock = new ManualClock();
  const executor = new ScriptedExecutor(rowToKv);
  let accept: ((connection: Connection) => void) | undefined;
  const listener: Listener = { host: "127.0.0.1", port: 1, close: async () => void (accept = undefined) };
  const network: Pick<Network, "listen"> = {
    listen: async (_options, onConnection) => {
      accept = onConnection;
      return listener;
    },
  };
  const env = { clock, random: seededRandom(), log: new RecordingLog(), network } as unknown as Env;
  const surface = openMysqlSurface(env, { executor, credentials, layout: rowToKv, limits });
  await surface.listen({ host: "127.0.0.1", port: 1 });
  return {
    surface, executor, clock,
    listening: () => accept !== undefined,
    connect() {
      const connection = new ManualConnection();
      accept?.(connection);
      return connection;
    },
  };
}

export function metricOf(surface: Surface, name: string): number | undefined {
  const metric = surface.metrics().find((one) => one.name === name);
  return metric === undefined ? undefined : metric.kind === "histogram" ? metric.count : metric.value;
}
