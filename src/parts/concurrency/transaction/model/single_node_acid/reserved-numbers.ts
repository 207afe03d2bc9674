/**
 * ReservedNumbers: AUTO_INCREMENT numbers set aside for open transactions, which must know them before they commit.
 *
 * Numbers are set aside by a command of their own, many at a time, so that most inserts wait for none. Those that are
 * left when the server stops, and those of transactions that roll back, are never used: gaps, as in MySQL.
 * Source: TiDB's cached auto-id ranges.
 */
import type { Table } from "../../../../architecture/catalog/table.ts";
import type { NumberSource } from "../../step-runner.ts";

interface Block {
  next: bigint;
  readonly end: bigint;
}

export class ReservedNumbers implements NumberSource {
  readonly #blocks = new Map<number, Block[]>();

  /** How many numbers of a table are there. */
  left(tableId: number): number {
    const blocks = this.#blocks.get(tableId) ?? [];
    return blocks.reduce((sum, { next, end }) => sum + Number(end - next), 0);
  }

  add(tableId: number, first: bigint, count: number): void {
    const blocks = this.#blocks.get(tableId) ?? [];
    blocks.push({ next: first, end: first + BigInt(count) });
    this.#blocks.set(tableId, blocks);
  }

  next(table: Table): bigint | undefined {
    const blocks = this.#blocks.get(table.id);
    if (blocks === undefined || blocks.length === 0) return undefined;
    const [block] = blocks;
    const number = block.next++;
    if (block.next === block.end) blocks.shift();
    if (blocks.length === 0) this.#blocks.delete(table.id);
    return number;
  }
}
