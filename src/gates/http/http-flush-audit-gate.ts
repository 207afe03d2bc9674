/**
 * Flush audit over HTTP: every 2xx to a write must be preceded by a device flush of what it wrote. The audit itself is
 * that of `flush-audit-gate.ts`; here are the writes: puts of many connections at once, then one after the other.
 */
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
      `${options.writes} sequential and ${options.writes * 2} concurrent puts over HTTP: ` +
      "a device flush of the written file before each answer",
    stage,
    timeoutMs: 20_000,
    async run(subject) {
      const server = await startHttpSubject(subject);
      const opened = Array.from({ length: crowdConnections + 1 }, () => HttpGateConnection.open(server));
      const [alone, ...crowd] = await Promise.all(opened);
      return auditFlushes(name, options.writes, subject, server, writesOf(alone, crowd));
    },
  };
}

function writesOf(alone: HttpGateConnection, crowd: readonly HttpGateConnection[]): AuditedWrites {
  const put = async (connection: HttpGateConnection, key: string) => {
    const { status, body } = await connection.put(key, "a value");
    if (status !== 201) throw new Error(`a put was answered with ${status}: ${body.toString()}`);
  };
  return {
    async concurrently(writes) {
      const each = Math.ceil(writes / crowd.length);
      await Promise.all(crowd.map(async (connection, number) => {
        for (let count = 0; count < each; count++) await put(connection, `crowd ${number} ${count}`);
      }));
    },
    async sequentially(writes) {
      for (let count = 0; count < writes; count++) await put(alone, `alone ${count}`);
    },
  };
}
