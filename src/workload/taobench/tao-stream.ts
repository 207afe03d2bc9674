/**
 * TaoStream: the operations of one TAOBench client.
 *
 * Algorithm: draw the kind of operation, then per step its kind, then its target: a loaded edge for reads,
 * updates and deletes (an object is the home end of an edge), a fresh key for inserts. Fresh keys are not
 * read again, as in TAOBench. The client's clock advances with every timestamp, by a stride that keeps
 * clients apart, so two clients never make the same key or timestamp, and a newer operation has a newer
 * timestamp.
 * Source: TAOBench, src/workload.cc (GetNextOperation and the transactions' counterparts).
 */
import { AliasTable } from "../alias-table.ts";
import { RandomStream } from "../random-stream.ts";
import { valueOf } from "../row-value.ts";
import type { EdgeType, Operation, OperationStep, OperationStream } from "../workload.ts";
import { clientTimeStart, edgeTypeNumber, keyOf, shardCount, timestampBase } from "./tao-edges.ts";
import type { TaoEdges } from "./tao-edges.ts";
import type { TaoMix, TaoStep, Weighted } from "./workload-file.ts";

export const valueLength = 150;
const tickNs = 1000;
const typeNumbers = [0n, 1n, 2n, 3n];

/** The distributions of a mix as tables, shared by all clients. */
export class TaoTables {
  readonly operations: AliasTable;
  readonly read: Drawn<TaoStep>;
  readonly write: Drawn<TaoStep>;
  readonly readTransaction: Drawn<TaoStep>;
  readonly writeTransaction: Drawn<TaoStep>;
  readonly readTransactionSize: Drawn<number>;
  readonly writeTransactionSize: Drawn<number>;
  readonly edgeType: Drawn<EdgeType>;
  readonly primaryShards: AliasTable;
  readonly remoteShards: AliasTable;

  constructor(mix: TaoMix, edges: TaoEdges) {
    this.operations = new AliasTable(mix.operations);
    this.read = new Drawn(mix.readSteps);
    this.write = new Drawn(mix.writeSteps);
    this.readTransaction = new Drawn(mix.readTransactionSteps);
    this.writeTransaction = new Drawn(mix.writeTransactionSteps);
    this.readTransactionSize = new Drawn(mix.readTransactionSizes);
    this.writeTransactionSize = new Drawn(mix.writeTransactionSizes);
    this.edgeType = new Drawn(mix.edgeTypes);
    // With few edges a shard may be empty; its accesses go to the others.
    const filled = mix.primaryShards.map((weight, shard) => (edges.edgesIn(shard) > 0 ? weight : 0));
    const total = filled.reduce((sum, weight) => sum + weight, 0);
    this.primaryShards = new AliasTable(total > 0 ? filled : filled.map((_, shard) => edges.edgesIn(shard)));
    this.remoteShards = new AliasTable(mix.remoteShards.slice(0, shardCount));
  }
}

class Drawn<Value> {
  readonly #values: readonly Value[];
  readonly #table: AliasTable;

  constructor(weighted: readonly Weighted<Value>[]) {
    this.#values = weighted.map(({ value }) => value);
    this.#table = new AliasTable(weighted.map(({ weight }) => weight));
  }

  next(random: RandomStream): Value {
    return this.#values[this.#table.next(random)];
  }
}

export class TaoStream implements OperationStream {
  readonly #random: RandomStream;
  readonly #edges: TaoEdges;
  readonly #tables: TaoTables;
  readonly #strideNs: bigint;
  #clockNs: bigint;
  #sequence: bigint;

  constructor(edges: TaoEdges, tables: TaoTables, seed: number, clientNumber: number, clientCount: number) {
    this.#edges = edges;
    this.#tables = tables;
    this.#random = new RandomStream(seed, 0x7a0, clientNumber);
    this.#strideNs = BigInt(tickNs * clientCount);
    this.#clockNs = clientTimeStart + BigInt(tickNs * clientNumber);
    this.#sequence = BigInt(this.#random.u32());
  }

  next(): Operation {
    const tables = this.#tables;
    const random = this.#random;
    switch (tables.operations.next(random)) {
      case 0:
        return { name: "READ", transaction: false, steps: [this.#step(tables.read.next(random))] };
      case 1:
        return this.#write(tables.write.next(random));
      case 2:
        return this.#transaction("READTRANSACTION", tables.readTransaction, tables.readTransactionSize);
      default:
        return this.#transaction("WRITETRANSACTION", tables.writeTransaction, tables.writeTransactionSize);
    }
  }

  #write(kind: TaoStep): Operation {
    const name = kind.startsWith("add") ? "INSERT" : kind.startsWith("update") ? "UPDATE" : "DELETE";
    return { name, transaction: false, steps: [this.#step(kind)] };
  }

  #transaction(name: string, kinds: Drawn<TaoStep>, sizes: Drawn<number>): Operation {
    const size = sizes.next(this.#random);
    const steps: OperationStep[] = [];
    for (let index = 0; index < size; index++) steps.push(this.#step(kinds.next(this.#random)));
    return { name, transaction: true, steps };
  }

  #step(kind: TaoStep): OperationStep {
    switch (kind) {
      case "readObject":
        return { kind: "read", table: "objects", key: [this.#edges.primary[this.#edge()]] };
      case "readEdge":
        return { kind: "read", table: "edges", key: this.#edgeKey() };
      case "addObject":
        return this.#addObject();
      case "addEdge":
        return this.#addEdge();
      case "updateObject":
        return this.#update("objects", [this.#edges.primary[this.#edge()]]);
      case "updateEdge":
        return this.#update("edges", this.#edgeKey());
      case "deleteObject":
        return this.#delete("objects", [this.#edges.primary[this.#edge()]]);
      case "deleteEdge":
        return this.#delete("edges", this.#edgeKey());
    }
  }

  #addObject(): OperationStep {
    const timestamp = this.#timestamp();
    const id = this.#freshKey(this.#tables.primaryShards.next(this.#random));
    return { kind: "insert", table: "objects", row: [id, timestamp, valueOf(id, timestamp, valueLength)] };
  }

  #addEdge(): OperationStep {
    const timestamp = this.#timestamp();
    const id1 = this.#freshKey(this.#tables.primaryShards.next(this.#random));
    const id2 = this.#freshKey(this.#tables.remoteShards.next(this.#random));
    const edgeType = this.#tables.edgeType.next(this.#random);
    const value = valueOf(id1, timestamp, valueLength);
    return { kind: "insertEdge", edgeType, row: [id1, id2, edgeTypeNumber[edgeType], timestamp, value] };
  }

  #update(table: string, key: readonly bigint[]): OperationStep {
    const timestamp = this.#timestamp();
    return { kind: "update", table, key, timestamp, value: valueOf(key[0], timestamp, valueLength) };
  }

  #delete(table: string, key: readonly bigint[]): OperationStep {
    return { kind: "delete", table, key, timestamp: this.#timestamp() };
  }

  #edge(): number {
    const shard = this.#tables.primaryShards.next(this.#random);
    return this.#edges.drawFrom(shard, this.#random);
  }

  #edgeKey(): readonly bigint[] {
    const edge = this.#edge();
    return [this.#edges.primary[edge], this.#edges.remote[edge], typeNumbers[this.#edges.type[edge]]];
  }

  #timestamp(): bigint {
    this.#clockNs += this.#strideNs;
    return timestampBase + this.#clockNs;
  }

  #freshKey(shard: number): bigint {
    return keyOf(shard, this.#sequence++, this.#clockNs);
  }
}
