/**
 * Flush audit of a library: what a write's promise resolves with comes after a device flush of what it wrote. The audit
 * is that of `flush-audit-gate.ts`, over a process that has the library open and answers when its promises resolve.
 */
import { auditFlushes, type AuditedWrites } from "../flush-audit-gate.ts";
import type { Gate } from "../gate.ts";
import { verdictOf } from "../run-gates.ts";
import type { TableSpec } from "../../contract/contract.ts";
import type { LibraryStep } from "./library-host.ts";
import { keyOfNumber, rowOfNumber } from "./library-rows.ts";
import { LibraryConnection, startLibrary, tablesOf } from "./library-subject.ts";

const name = "library-flush-audit";
const crowdConnections = 12;

export function libraryFlushAuditGate(options: { writes: number }): Gate {
  return {
    name,
    description:
      `${options.writes} sequential and ${options.writes * 2} concurrent writes of a library: ` +
      "a device flush of the written file before each promise resolves",
    stage: "product",
    timeoutMs: 90_000,
    async run(subject) {
      const tables = tablesOf(subject.productDirectory);
      if (tables.length === 0) {
        const verdict = verdictOf(name, performance.now());
        return verdict.inconclusive("no table has a key that holds numbers and a column beside it");
      }
      const server = await startLibrary(subject);
      const opened = Array.from({ length: crowdConnections + 1 }, () => LibraryConnection.open(server));
      const [alone, ...crowd] = await Promise.all(opened);
      return auditFlushes(name, options.writes, subject, server, writesOf(tables, alone, crowd));
    },
  };
}

/** By turns a new row, another value in its place, and its end. */
function stepOf(table: TableSpec, number: number, turn: number): LibraryStep {
  if (turn % 3 === 2) return { kind: "delete", table: table.name, row: keyOfNumber(table, number) };
  return { kind: turn % 3 === 0 ? "insert" : "put", table: table.name, row: rowOfNumber(table, number, turn) };
}

function writesOf(
  tables: readonly TableSpec[], alone: LibraryConnection, crowd: readonly LibraryConnection[],
): AuditedWrites {
  const write = async (connection: LibraryConnection, first: number, turn: number) => {
    const table = tables[Math.floor(turn / 3) % tables.length];
    const { error } = await connection.ask({ steps: [stepOf(table, first + Math.floor(turn / 3), turn)] });
    if (error !== undefined) throw new Error(`a write was refused with ${error.code}: ${error.message}`);
  };
  return {
    async concurrently(count) {
      const each = Math.ceil(count / crowd.length);
      await Promise.all(crowd.map(async (connection, number) => {
        for (let turn = 0; turn < each; turn++) await write(connection, 10_000 + 1000 * number, turn);
      }));
    },
    async sequentially(count) {
      for (let turn = 0; turn < count; turn++) await write(alone, 0, turn);
    },
  };
}
