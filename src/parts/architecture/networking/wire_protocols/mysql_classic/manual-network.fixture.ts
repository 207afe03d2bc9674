/** A MySQL surface whose other side is the test: it delivers bytes, takes them or leaves them; time is set by hand. */
import type { Env } from "../../../../../kit/env/env.ts";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import { ManualClock } from "../../manual-clock.fixture.ts";
import { ManualConnection, ManualNetwork } from "../../manual-network.fixture.ts";
import type { Surface } from "../../surface.ts";
import type { MysqlLimits } from "./limits.ts";
import { openMysqlSurface } from "./mysql-surface.ts";
import { credentials, RecordingLog, seededRandom } from "./protocol-harness.fixture.ts";
import { frame, handshakeResponse, nativeScramble, nonceOf, packetsOf } from "./raw-client.fixture.ts";
import type { Packet } from "./raw-client.fixture.ts";
import { ScriptedExecutor } from "./scripted-executor.fixture.ts";

/** What comes out of it is packets. */
export class MysqlManualConnection extends ManualConnection {
  take(): Packet[] {
    return packetsOf(this.takeBytes());
  }

  ask(bytes: Uint8Array): Packet[] {
    this.deliver(bytes);
    return this.take();
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
  connect(): MysqlManualConnection;
  readonly listening: () => boolean;
  readonly backlog: () => number;
}

/** A surface that listens on a manual network. */
export async function openManualSurface(limits: Partial<MysqlLimits> = {}): Promise<ManualSurface> {
  const clock = new ManualClock();
  const executor = new ScriptedExecutor(rowToKv);
  const network = new ManualNetwork();
  const env = { clock, random: seededRandom(), log: new RecordingLog(), network } as unknown as Env;
  const surface = openMysqlSurface(env, { executor, credentials, layout: rowToKv, limits });
  await surface.listen({ host: "127.0.0.1", port: 1 });
  return {
    surface, executor, clock,
    listening: () => network.listening,
    backlog: () => network.backlog,
    connect: () => network.connect(new MysqlManualConnection()),
  };
}
