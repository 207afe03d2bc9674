/**
 * Kill gate of a library: SIGKILL the process that has it open while it writes, again and again, and hold what the next
 * one finds to what was acknowledged; and of two processes that open one directory at once, one alone may.
 *
 * Steps, per round on the same data directory:
 *   1. Two processes open it at the same moment: exactly one gets it, the other is refused with LOCKED. What the last
 *   one held when it was killed is in nobody's way.
 *   2. Everything is read and compared with what was recorded here, outside (`LibraryUnits`).
 *   3. Writers on several connections make transactions, each of two rows, of two tables where there are two: new ones,
 *   other values, deletes, and inserts over rows that are there, which must be refused as a whole.
 *   4. Once enough was acknowledged for the round to mean something: SIGKILL, by turns at the very moment of an
 *      acknowledgement and after a random while.
 * Limits: SIGKILL keeps the page cache, so this gate proves recovery, not flushing; the flush audit does that.
 * Source: RocksDB's db_crashtest.py with its expected state outside the database.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { RunningServer } from "../../fleet/server.ts";
import { seededNumbers } from "../../simulation/seeded-numbers.ts";
import type { Gate, GateSubject, GateVerdict } from "../gate.ts";
import { verdictOf } from "../run-gates.ts";
import { LibraryConnection, type LibraryStart, tablesOf, tryLibrary } from "./library-subject.ts";
import { LibraryUnits } from "./library-units.ts";

const name = "library-kill-9";
const acknowledgedPerRoundMin = 20;
const writersMax = 8;

export function libraryKillGate(options: { rounds: number }): Gate {
  return {
    name,
    description:
      `${options.rounds} × SIGKILL of the process that has the library open and writes, with the acknowledgements ` +
      "recorded outside; two processes at once for its directory",
    stage: "product",
    timeoutMs: 60_000 + options.rounds * 12_000,
    run: (subject) => runKills(options.rounds, subject),
  };
}

async function runKills(rounds: number, subject: GateSubject): Promise<GateVerdict> {
  const verdict = verdictOf(name, performance.now());
  const tables = tablesOf(subject.productDirectory);
  if (tables.length === 0) return verdict.inconclusive("no table has a key that holds numbers and a column beside it");
  const units = new LibraryUnits(tables, subject.seed);
  const next = seededNumbers(subject.seed ^ 0x5bd1e995);
  for (let round = 0; ; round++) {
    if (subject.signal?.aborted) return verdict.inconclusive("stopped on request");
    const { server, failure } = await openAtOnce(subject);
    if (server === undefined) return verdict.reject(failure, units.evidence());
    try {
      const reader = await LibraryConnection.open(server);
      const difference = await units.compare(reader);
      if (difference !== undefined) {
        return verdict.reject(round === 0 ? difference : `after kill ${round}: ${difference}`, units.evidence());
      }
      if (round === rounds) break;
      await writeUntilKilled(server, units, next, (round + 1) * acknowledgedPerRoundMin, round % 2 === 0);
      if (units.failure !== undefined) return verdict.reject(units.failure, units.evidence());
    } finally {
      await server.kill();
    }
  }
  const { acknowledged, unclearAtKills, refused } = units;
  if (acknowledged < rounds * acknowledgedPerRoundMin || unclearAtKills < 1) {
    return verdict.inconclusive(
      `only ${acknowledged} transactions acknowledged and ${unclearAtKills} in flight at the kills: nothing was tested`,
    );
  }
  return verdict.admit(
    `${rounds} kills, ${acknowledged} acknowledged transactions all there, ${unclearAtKills} in flight whole or ` +
      `absent, ${refused} refused ones without a trace; ${rounds + 1} times one of two processes got the directory`,
    units.evidence(),
  );
}

/** Of two processes at once: the one that has the library open, or what was wrong. */
async function openAtOnce(
  subject: GateSubject,
): Promise<{ server: RunningServer; failure?: undefined } | { server?: undefined; failure: string }> {
  const ends = await Promise.allSettled([tryLibrary(subject), tryLibrary(subject)]);
  const starts = ends.flatMap((end): LibraryStart[] => (end.status === "fulfilled" ? [end.value] : []));
  const servers = starts.flatMap(({ server }) => server ?? []);
  const [server] = servers;
  const died = ends.find((end) => end.status === "rejected");
  const wrong = starts.find(({ refusal }) => refusal !== undefined && refusal.code !== "LOCKED")?.refusal;
  if (servers.length === 1 && died === undefined && wrong === undefined) return { server };
  await Promise.all(servers.map((one) => one.kill()));
  if (servers.length > 1) return { failure: "two processes opened one directory at the same time, and both got it" };
  if (wrong !== undefined) return { failure: `the library does not open: ${wrong.code}: ${wrong.message}` };
  if (died !== undefined) return { failure: `a process that opened the library died: ${died.reason}` };
  return { failure: "of two processes that opened one directory at the same time, none got it" };
}

/** The writers stop when their connections break: the kill finds them writing. */
async function writeUntilKilled(
  server: RunningServer, units: LibraryUnits, next: () => number, enough: number, atOnce: boolean,
): Promise<void> {
  const connections = await Promise.all(Array.from({ length: writersMax }, () => LibraryConnection.open(server)));
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  const due = enough + Math.floor(next() * 40);
  let killed: Promise<void> | undefined;
  const onAcknowledged = () => {
    if (units.acknowledged < due) return;
    // In the turn of the acknowledgement, before anything else can happen here.
    if (atOnce) killed ??= server.kill();
    reach();
  };
  const running = connections.map((connection, number) => units.write(connection, number, writersMax, onAcknowledged));
  await Promise.race([reached, sleep(20_000, undefined, { ref: false }), ...running]);
  if (!atOnce) await sleep(next() * 60);
  await (killed ?? server.kill());
  await Promise.all(running);
}
