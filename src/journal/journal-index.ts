/**
 * A derived index over a journal, for questions that would read all of it: what became of each candidate,
 * its launches, its cost. It holds nothing that the journal does not; deleting it loses nothing.
 *
 * Algorithm: one SQLite table of entries (position, kind, candidate, line). `refresh` reads the journal
 *   from the start, verifying it, and adds what is new; where the indexed head is not in the journal (it
 *   was cut or exchanged), everything is indexed anew. SQLite is hidden behind this file.
 */
import { DatabaseSync } from "node:sqlite";
import { LatheError } from "../kit/errors.ts";
import { decodeCanonical, encodeCanonical } from "./canonical-json.ts";
import type { Entry, EntryKind, EntryOfKind, JournalEntry } from "./entry.ts";
import { readEntries } from "./journal-reader.ts";

const schemaVersion = 1;

const schema = `
  CREATE TABLE entry (
    seq INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    kind TEXT NOT NULL,
    candidate TEXT,
    text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX entry_kind ON entry (kind, seq);
  CREATE INDEX entry_candidate ON entry (candidate, seq);
  PRAGMA user_version = ${schemaVersion};
`;

/** What became of one candidate. */
export interface TrialSummary {
  readonly candidate: string;
  /** Undefined while the trial runs, or where the study was interrupted in it. */
  readonly outcome: string | undefined;
  readonly reason: string | undefined;
  readonly screeningLaunches: number;
  readonly confirmationLaunches: number;
}

export class JournalIndex {
  private readonly journalPath: string;
  private readonly database: DatabaseSync;

  /**
   * `indexPath`: a file, created where missing and remade where it is no index of this version; or
   * ":memory:".
   * Errors: NOT_FOUND (no such journal), CORRUPTION (of the journal), IO_ERROR.
   */
  constructor(journalPath: string, indexPath = ":memory:") {
    this.journalPath = journalPath;
    try {
      this.database = new DatabaseSync(indexPath);
      if (!this.hasSchema()) this.reset();
    } catch (cause) {
      const message = `cannot open the index ${indexPath}; it is derived and may be deleted`;
      throw new LatheError("IO_ERROR", message, { cause });
    }
    this.refresh();
  }

  /** Adds what the journal has gained; returns how many entries were added. */
  refresh(): number {
    this.database.exec("BEGIN IMMEDIATE");
    try {
      const added = this.addNew();
      this.database.exec("COMMIT");
      return added;
    } catch (error) {
      this.database.exec("ROLLBACK");
      throw error;
    }
  }

  ofKind<Kind extends EntryKind>(kind: Kind): EntryOfKind<Kind>[] {
    const rows = this.database.prepare("SELECT text FROM entry WHERE kind = ? ORDER BY seq").all(kind);
    return rows.map(({ text }) => decodeCanonical(String(text)) as EntryOfKind<Kind>);
  }

  /** Everything about one candidate, in order. */
  ofCandidate(candidate: string): JournalEntry[] {
    const query = "SELECT text FROM entry WHERE candidate = ? ORDER BY seq";
    const rows = this.database.prepare(query).all(candidate);
    return rows.map(({ text }) => decodeCanonical(String(text)) as JournalEntry);
  }

  countByKind(): Readonly<Record<string, number>> {
    const query = "SELECT kind, count(*) AS count FROM entry GROUP BY kind ORDER BY kind";
    const rows = this.database.prepare(query).all();
    return Object.fromEntries(rows.map(({ kind, count }) => [String(kind), Number(count)]));
  }

  /** In the order in which they were proposed. */
  trials(): TrialSummary[] {
    const rows = this.database
      .prepare(
        `SELECT candidate,
                sum(kind = 'screening_launch') AS screening,
                sum(kind = 'confirmation_launch') AS confirmation,
                max(CASE WHEN kind = 'trial_ended' THEN text END) AS ended
         FROM entry WHERE candidate IS NOT NULL
         GROUP BY candidate HAVING max(kind = 'candidate_proposed') ORDER BY min(seq)`,
      )
      .all();
    return rows.map((row) => {
      const ended =
        row.ended === null ? undefined : (decodeCanonical(String(row.ended)) as EntryOfKind<"trial_ended">);
      return {
        candidate: String(row.candidate),
        outcome: ended?.outcome,
        reason: ended?.reason,
        screeningLaunches: Number(row.screening),
        confirmationLaunches: Number(row.confirmation),
      };
    });
  }

  close(): void {
    this.database.close();
  }

  private addNew(): number {
    const insert = this.database.prepare("INSERT INTO entry VALUES (?, ?, ?, ?, ?)");
    const hashAt = this.database.prepare("SELECT hash FROM entry WHERE seq = ?");
    const last = this.database.prepare("SELECT coalesce(max(seq), -1) AS seq FROM entry").get();
    let indexed = Number(last?.seq);
    let added = 0;
    let read = -1;
    for (const entry of readEntries(this.journalPath)) {
      read = entry.seq;
      if (entry.seq <= indexed) {
        if (hashAt.get(entry.seq)?.hash === entry.hash) continue;
        // Another journal, or one that was cut and went on differently: what was indexed from here on is
        // gone.
        this.database.prepare("DELETE FROM entry WHERE seq >= ?").run(entry.seq);
        indexed = entry.seq - 1;
      }
      insert.run(entry.seq, entry.hash, entry.kind, candidateOf(entry), encodeCanonical(entry));
      added++;
    }
    this.database.prepare("DELETE FROM entry WHERE seq > ?").run(read);
    return added;
  }

  private hasSchema(): boolean {
    return this.database.prepare("PRAGMA user_version").get()?.user_version === schemaVersion;
  }

  private reset(): void {
    this.database.exec(`DROP TABLE IF EXISTS entry; ${schema}`);
  }
}

function candidateOf(entry: Entry): string | null {
  if (!("candidate" in entry)) return null;
  const { candidate } = entry;
  if (typeof candidate === "string") return candidate;
  return (candidate as { id?: string } | null)?.id ?? null;
}
