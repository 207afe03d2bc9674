/**
 * What a study needs of its journal; `journal/journal.ts` keeps it on disk, `MemoryJournal` in
 * memory for simulated studies.
 */
import type { Entry, JournalEntry } from "../journal/entry.ts";

export interface StudyJournal {
  /** Durable when it returns. */
  append(entry: Entry): JournalEntry;
  entries(): Iterable<JournalEntry>;
}

/** A journal without a chain and without a disk. What is appended is not copied. */
export class MemoryJournal implements StudyJournal {
  private readonly list: JournalEntry[] = [];

  constructor(entries: Iterable<Entry> = []) {
    for (const entry of entries) this.append(entry);
  }

  append(entry: Entry): JournalEntry {
    const envelope = {
      seq: this.list.length,
      previous: "",
      hash: "",
      time: new Date(0).toISOString(),
    };
    const appended = { ...entry, ...envelope } as JournalEntry;
    this.list.push(appended);
    return appended;
  }

  entries(): readonly JournalEntry[] {
    return this.list;
  }
}
