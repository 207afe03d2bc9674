/**
 * YcsbVerifier: judges reads of `usertable`, where updates overwrite one another without a condition.
 *
 * Rules, with a logical clock that ticks at every event of the driver:
 *   1. Each field is a value of its key (`ycsb-value.ts`); anything else was never written.
 *   2. A version is stale for a read that began at r if another write of the field began after that
 *      version had been acknowledged and was itself acknowledged before r. (Two concurrent writes may end
 *      in either order.)
 *   3. A key that was loaded, or whose insert was acknowledged before the read began, is there.
 * Memory: the versions per written field that some read in flight may still see, and one number per
 * inserted key.
 */
import type { RowView } from "../row-view.ts";
import { VersionHistory } from "../version-history.ts";
import type { Floor, Operation, ReadStep, ScanStep, Verifier } from "../workload.ts";
import { fieldCount, keyHashOfText, versionOf } from "./ycsb-value.ts";

export class YcsbVerifier implements Verifier {
  readonly #fresh: boolean;
  #clock = 0;
  readonly #written = new VersionHistory();
  readonly #insertedAt = new Map<string, number>();

  /**
   * `fresh`: see `Workload.verifier`; where false, versions that it does not know may be of earlier runs.
   */
  constructor(fresh = true) {
    this.#fresh = fresh;
  }

  issued(operation: Operation): void {
    this.#clock++;
    for (const step of operation.steps) {
      if (step.kind === "update") {
        const name = writtenName(step.key[0] as string, step.column as string);
        this.#written.issue(name, Number(step.timestamp), this.#clock);
      } else if (step.kind === "insert") {
        this.#insertedAt.set(step.row[0] as string, Infinity);
      }
    }
  }

  acknowledged(operation: Operation): void {
    this.#clock++;
    for (const step of operation.steps) {
      if (step.kind === "insert") this.#insertedAt.set(step.row[0] as string, this.#clock);
      if (step.kind === "update") {
        const name = writtenName(step.key[0] as string, step.column as string);
        this.#written.acknowledge(name, Number(step.timestamp), this.#clock);
      }
    }
  }

  failed(): void {
    this.#clock++;
  }

  floor(): Floor {
    return this.#clock;
  }

  checkRow(step: ReadStep | ScanStep, row: RowView, floor: Floor): string | undefined {
    const first = row.columns - fieldCount;
    // A scan's rows carry their key; a read's need not.
    if (first !== 1 && !(first === 0 && step.kind === "read")) return `usertable row has ${row.columns} columns`;
    const key = step.kind === "read" ? (step.key[0] as string) : row.text(0);
    if (first === 1 && row.text(0) !== key) return `usertable row ${key} has key ${row.text(0)}`;
    const hash = keyHashOfText(key);
    for (let field = 0; field < fieldCount; field++) {
      const column = first + field;
      const version = versionOf(hash, field, row.bytes, row.start[column], row.length[column]);
      if (version < 0) return `usertable row ${key} field${field} has a value that was never written`;
      const name = writtenName(key, `field${field}`);
      if (!this.#written.mayRead(name, version, floor as number, this.#fresh)) {
        return `usertable row ${key} field${field} has version ${version}, which is stale or was never sent`;
      }
    }
    return undefined;
  }

  checkMissing(step: ReadStep, floor: Floor): string | undefined {
    const key = step.key[0] as string;
    const insertedAt = this.#insertedAt.get(key);
    if (insertedAt !== undefined && insertedAt > (floor as number)) return undefined;
    return `usertable row ${key} is missing although it was inserted`;
  }
}

function writtenName(key: string, column: string): string {
  return `${key}/${column}`;
}
