/**
 * Flush audit over HTTP: every 2xx to a write must be preceded by a device flush of what it wrote. The audit itself is
 * that of `flush-audit-gate.ts`; here are the writes: of many connections at once, then one after the other.
 */
import type { HttpReply } from "../../bench/clients/http-client.ts";
import { auditFlushes, type AuditedWrites } from "../flush-audit-gate.ts";
import type { Gate } from "../gate.ts";
import { HttpGateConnection, startHttpSubject } from "./http-subject.ts";

const crowdConnections = 12;

export function httpFlushAuditGate(options: { writes: number; stage?: Gate["stage"] }): Gate {
  const { stage = "product" } = options;
  const name = stage === "product" ? "http-flush-audit" : "http-flush-audit-short";
  return {
    name,
    description:
      `${options.writes} sequential and ${options.writes * 2} concurrent writes over HTTP: ` +
      "a device flush of the written file before each answer",
    stage,
    timeoutMs: 90_000,
    async run(subject) {
      const server = await startHttpSubject(subject);
      const opened = Array.from({ length: crowdConnections + 1 }, () => HttpGateConnection.open(server));
      const [alone, ...crowd] = await Promise.all(opened);
      return auditFlushes(name, options.writes, subject, server, writesOf(alone, crowd));
    },
  };
}

/** By turns on every route that writes: a fault of one of them is none of the others. */
const writes: readonly ((connection: HttpGateConnection, key: string) => Promise<HttpReply>)[] = [
  (connection, key) => connection.put(key, "a value"),
  (connection, key) => connection.send("PUT", `/kv/${key}`, [], "a value of bytes"),
  (connection, key) => connection.ask("POST", "/batch", { items: [{ key, value: "" }, { key: `${key}b`, value: "" }] }),
  (connection, key) => connection.send("POST", "/import", [], `${JSON.stringify({ key, value: "imported" })}\n`),
  (connection, key) => connection.send("DELETE", `/kv/${key}`, []),
];

function writesOf(alone: HttpGateConnection, crowd: readonly HttpGateConnection[]): AuditedWrites {
  const write = async (connection: HttpGateConnection, key: string, turn: number) => {
    const { status, body } = await writes[turn % writes.length](connection, key);
    if (status >= 300) throw new Error(`a write was answered with ${status}: ${body.toString()}`);
  };
  return {
    async concurrently(count) {
      const each = Math.ceil(count / crowd.length);
      await Promise.all(crowd.map(async (connection, number) => {
        for (let turn = 0; turn < each; turn++) await write(connection, `crowd${number}-${turn}`, number + turn);
      }));
    },
    async sequentially(count) {
      for (let turn = 0; turn < count; turn++) await write(alone, `alone${turn}`, turn);
    },
  };
}
