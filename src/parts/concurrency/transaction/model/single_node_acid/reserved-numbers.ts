/**
 * ReservedNumbers: AUTO_INCREMENT numbers set aside for open transactions, which must know them before they commit.
 *
 * A number that comes with a row moves the next ones above it, as in MySQL; it counts although its transaction may
 * roll back. Numbers are set aside by a command of their own, many at a time, so that most inserts wait for none.
 * Those that are left when the server stops, and those of transactions that roll back, are never used: gaps, as in
 * MySQL.
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
  /** Per table the highest number that came with a row of an open transaction. */
  readonly #came = new Map<number, bigint>();

  /** How many numbers of a table are there. */
  left(tableId: number): number {
    const blocks = this.#blocks.get(tableId) ?? [];
    return blocks.reduce((sum, { next, end }) => sum + Number(end - next), 0);
  }

  /** Numbers of a table must be above this. */
  floor(tableId: number): bigint {
    return this.#came.get(tableId) ?? 0n;
  }

  came({ id }: Table, number: bigint): void {
    if (number <= this.floor(id)) return;
    this.#came.set(id, number);
    const blocks = (this.#blocks.get(id) ?? []).filter(({ end }) => end > number + 1n);
    for (const block of blocks) if (block.next <= number) block.next = number + 1n;
    this.#blocks.set(id, blocks);
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
