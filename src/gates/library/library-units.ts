/**
 * LibraryUnits: what a library holds, known outside of it: units of two rows that are written and deleted together.
 *
 * A unit has versions; the version of a delete is a unit that is not there. Before a transaction is sent its version is
 * noted as pending, after its answer as acknowledged. What is found later must be the acknowledged version or a pending
 * one, in both rows the same; nothing else may be there.
 */
import type { TableSpec } from "../../contract/contract.ts";
import { seededNumbers } from "../../simulation/seeded-numbers.ts";
import type { LibraryReply, LibraryStep } from "./library-host.ts";
import { keyOfNumber, rowOfNumber, rowText } from "./library-rows.ts";
import type { LibraryConnection } from "./library-subject.ts";

interface Version {
  readonly number: number;
  readonly isThere: boolean;
}

interface Unit {
  readonly number: number;
  acknowledged: Version;
  pending: Version[];
}

const absent: Version = { number: 0, isThere: false };

export class LibraryUnits {
  acknowledged = 0;
  refused = 0;
  unclearAtKills = 0;
  failure: string | undefined;
  readonly #tables: readonly TableSpec[];
  readonly #seed: number;
  readonly #units: Unit[] = [];
  #version = 0;

  /** The two rows of a unit are in the tables at two places of the list, or in the only one. */
  constructor(tables: readonly TableSpec[], seed: number) {
    this.#tables = tables;
    this.#seed = seed;
  }

  evidence(): Record<string, unknown> {
    const { acknowledged, refused, unclearAtKills: inFlightAtKills } = this;
    return { seed: this.#seed, units: this.#units.length, acknowledged, refused, inFlightAtKills };
  }

  /** Writes until the connection breaks. Each of `writers` has units of its own, so that their order is known. */
  async write(connection: LibraryConnection, writer: number, writers: number, told: () => void): Promise<void> {
    const next = seededNumbers(this.#seed * 31 + writer + this.#version);
    const own = this.#units.filter(({ number }) => number % writers === writer);
    while (this.failure === undefined) {
      const isNew = own.length === 0 || next() < 0.4;
      const unit = isNew ? this.#makeUnit(writer, writers) : own[Math.floor(next() * own.length)];
      if (isNew) own.push(unit);
      const draw = next();
      try {
        if (unit.acknowledged.isThere && draw < 0.1) await this.#insertAgain(connection, unit);
        else await this.#change(connection, unit, draw >= 0.25 || !unit.acknowledged.isThere, told);
      } catch {
        // The process was killed.
        return;
      }
    }
  }

  /** Reads all tables; what is wrong with them, or undefined. What was found counts as acknowledged from then on. */
  async compare(connection: LibraryConnection): Promise<string | undefined> {
    const found = new Map<string, Set<string>>();
    for (const { name } of this.#tables) {
      const { rows = [], error } = await connection.ask({ scan: name });
      if (error !== undefined) return `table ${name} cannot be read: ${error.message}`;
      found.set(name, new Set(rows.map(rowText)));
    }
    for (const unit of this.#units) {
      this.unclearAtKills += unit.pending.length;
      const difference = judgeUnit(unit, (version) => this.#rowsFound(unit, version, found));
      if (difference !== undefined) return difference;
    }
    const left = [...found.values()].reduce((sum, rows) => sum + rows.size, 0);
    return left === 0 ? undefined : `${left} rows are there that nobody wrote, or that were written over or deleted`;
  }

  #makeUnit(writer: number, writers: number): Unit {
    const number = this.#units.filter((unit) => unit.number % writers === writer).length * writers + writer;
    const unit: Unit = { number, acknowledged: absent, pending: [] };
    this.#units.push(unit);
    return unit;
  }

  async #change(connection: LibraryConnection, unit: Unit, isThere: boolean, told: () => void): Promise<void> {
    const version = { number: ++this.#version, isThere };
    unit.pending.push(version);
    const kind = !isThere ? "delete" : unit.acknowledged.isThere ? "put" : "insert";
    const { error } = await connection.ask({ steps: this.#steps(unit, version, kind) });
    if (error !== undefined) {
      this.failure ??= `a transaction was refused with ${error.code}: ${error.message}`;
      return;
    }
    unit.acknowledged = version;
    unit.pending = [];
    this.acknowledged++;
    told();
  }

  /** One row anew, the other as if it were not there: all of it must be refused. */
  async #insertAgain(connection: LibraryConnection, unit: Unit): Promise<void> {
    const version = { number: ++this.#version, isThere: true };
    const [first, second] = this.#steps(unit, version, "insert");
    const { error }: LibraryReply = await connection.ask({ steps: [{ ...first, kind: "put" }, second] });
    if (error?.code !== "CONSTRAINT") {
      const answer = error === undefined ? "acknowledged" : `refused with ${error.code}: ${error.message}`;
      this.failure ??= `a transaction with an insert over a row that is there was ${answer}`;
    }
    this.refused++;
  }

  #steps(unit: Unit, version: Version, kind: LibraryStep["kind"]): [LibraryStep, LibraryStep] {
    const step = (place: number): LibraryStep => {
      const [table, number] = this.#place(unit, place);
      const row = kind === "delete" ? keyOfNumber(table, number) : rowOfNumber(table, number, version.number);
      return { kind, table: table.name, row };
    };
    return [step(0), step(1)];
  }

  #place(unit: Unit, place: number): [TableSpec, number] {
    return [this.#tables[(unit.number + place) % this.#tables.length], unit.number * 2 + place];
  }

  /** How many of the two rows of a version are among those found; with both, they are taken out. */
  #rowsFound(unit: Unit, version: Version, found: ReadonlyMap<string, Set<string>>): number {
    const rows = [0, 1].map((place) => {
      const [table, number] = this.#place(unit, place);
      return { in: found.get(table.name) as Set<string>, text: rowText(rowOfNumber(table, number, version.number)) };
    });
    const there = rows.filter((row) => row.in.has(row.text));
    if (there.length === 2) for (const row of rows) row.in.delete(row.text);
    return there.length;
  }
}

/**
 * What is wrong with what is found of a unit, or undefined; then the version found is its acknowledged one. `rowsFound`
 * tells how many of the two rows of a version are there.
 */
export function judgeUnit(unit: Unit, rowsFound: (version: Version) => number): string | undefined {
  const { number, acknowledged, pending } = unit;
  const versions = [acknowledged, ...pending];
  const counts = versions.map((version) => (version.isThere ? rowsFound(version) : 0));
  const half = versions.findIndex((_, at) => counts[at] === 1);
  if (half >= 0) return `unit ${number} is half there: one of the two rows of version ${versions[half].number}`;
  const whole = versions.findIndex((_, at) => counts[at] === 2);
  // Rows of other versions, where there are any, are left over when all units were looked at.
  const found = whole >= 0 ? versions[whole] : versions.find(({ isThere }) => !isThere);
  if (found === undefined) return `unit ${number} is not there, but version ${acknowledged.number} was acknowledged`;
  unit.acknowledged = found;
  unit.pending = [];
  return undefined;
}
