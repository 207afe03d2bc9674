/**
 * Which storage engine a contract leads to, and why.
 *
 *   1. `storage.placement` decides where it says `memory` or `disk`.
 *   2. `auto`: memory, where 99 % of operations are to be done within a millisecond (`targets.p99_us_max`) and the data
 *   fit into the share of the granted memory that the engine gets. Both must be asked for: a store in memory costs its
 *      whole data, and only latency is a reason for that.
 * The size of the data is that of rows whose columns all have their longest value, which is the only one that a
 * contract promises not to exceed.
 */
import type { Contract, TableSpec } from "./contract.ts";

export interface EngineChoice {
  readonly leaf: "storage/storage_model/memory" | "storage/storage_model/row/kvlsm/blackboard";
  readonly reason: string;
}

/** A read that waits for a disk does not keep within this. */
const diskLatencyUs = 1000;
/** Beside a row: header of its cell and its rounding, both indexes, its table's number in the key. */
const bytesPerRow = 64;
/** The rest of the granted memory is for the process, its connections, and what is between two uses. */
const engineShare = 0.6;
/** What the engine's knob may be set to. */
const engineBytesMin = 16 * 2 ** 20;

const fixedBytes: Readonly<Record<string, number>> = { bigint: 8, int: 4, double: 8, varchar: 0, varbinary: 0 };

export function engineChoice(contract: Contract): EngineChoice {
  const { storage, targets, data } = contract;
  const needed = memoryNeeded(data.tables);
  const granted = memoryEngineBytes(contract);
  const size = `${megabytes(needed)} MB of rows and their index entries`;
  const room = `${megabytes(granted)} MB that the engine gets of ${targets.memoryMiBMax} MiB`;
  if (storage.placement === "memory") return inMemory("storage.placement asks for all data in memory");
  if (storage.placement === "disk") return onDisk("storage.placement asks for data on disk");
  if (targets.p99UsMax === undefined || targets.p99UsMax >= diskLatencyUs) {
    return onDisk("no latency below a millisecond is asked for (targets.p99_us_max), so data may outgrow memory");
  }
  const target = `99 % within ${targets.p99UsMax} µs`;
  if (needed > granted) return onDisk(`${target} is asked for, but ${size} do not fit the ${room}`);
  return inMemory(`${target} is asked for, and ${size} fit the ${room}: no read waits for a disk`);
}

/** Whether rows with their longest values, and their index entries, fit what the memory engine gets. */
export function fitsMemoryEngine(contract: Contract): boolean {
  return memoryNeeded(contract.data.tables) <= memoryEngineBytes(contract);
}

/** What the memory engine may fill, of the memory that the contract grants. */
export function memoryEngineBytes({ targets }: Contract): number {
  return Math.max(engineBytesMin, Math.floor(targets.memoryMiBMax * engineShare) * 2 ** 20);
}

function memoryNeeded(tables: readonly TableSpec[]): number {
  return tables.reduce((sum, table) => {
    const key = new Set(table.primaryKey);
    const width = table.columns.reduce((bytes, { name, type, lengthMax }) => {
      const own = fixedBytes[type] + (lengthMax ?? 0);
      return bytes + (key.has(name) ? 2 : 1) * own;
    }, 0);
    const entries = 1 + (table.indexes?.length ?? 0);
    return sum + table.rows * (width + entries * bytesPerRow);
  }, 0);
}

function inMemory(reason: string): EngineChoice {
  return { leaf: "storage/storage_model/memory", reason };
}

function onDisk(reason: string): EngineChoice {
  return { leaf: "storage/storage_model/row/kvlsm/blackboard", reason };
}

function megabytes(bytes: number): string {
  return String(Math.ceil(bytes / 1e6));
}
