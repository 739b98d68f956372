/**
 * The store: every revision of every object in one SQLite table, with one resource version for all of them.
 *
 * A revision is written once. The newest of a key is its present state; older ones serve watches and pages of the past until
 * compaction takes them away. The database runs in WAL mode with `synchronous=NORMAL`: a commit is in the operating system's hands
 * when a write returns, so it survives the end of the process in any way (kill -9 included); only a crash of the machine itself
 * may lose the last moments, never the database's consistency.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { lockFolder } from './lock.ts';

/** A state of a key. `text` is what was given at the write; for a deletion, the last state. */
export interface Row {
  rv: number;
  key: string;
  text: string;
}

export interface Change extends Row {
  deleted: boolean;
  /** State before, where history still has it. */
  before: string | undefined;
}

export interface ListOptions {
  /** Keys after this one. */
  after?: string;
  limit?: number;
  /** State as of this revision; default the present. */
  at?: number;
}

/** The revision that was asked for is no longer, or not yet, there. */
export class CompactedError extends Error {
  readonly compacted: number;
  constructor(compacted: number) {
    super(`history before revision ${compacted} has been compacted`);
    this.compacted = compacted;
  }
}

export interface Store {
  /** The last revision written. */
  readonly revision: number;
  /** Revisions before this one are gone. */
  readonly compacted: number;
  get(key: string): Row | undefined;
  /** Present or past states of the keys that begin with the prefix, in the order of keys. @throws CompactedError */
  list(prefix: string, options?: ListOptions): Row[];
  count(prefix: string, options?: { after?: string; at?: number }): number;
  /** Writes a state. @param rv must be `revision + 1` */
  put(key: string, text: string, rv: number): void;
  /** Deletes. @param text the last state, told to watchers */
  remove(key: string, text: string, rv: number): void;
  /** What changed after a revision, in order. @throws CompactedError */
  changes(prefix: string, after: number): Change[];
  /** Forgets states that were replaced at or before a revision. */
  compact(upTo: number): void;
  /** Small values beside the objects, e.g. a counter. */
  setting(name: string): string | undefined;
  setSetting(name: string, value: string): void;
  close(): void;
}

export interface StoreOptions {
  /** Folder of the database; undefined: in memory. */
  folder?: string;
  /** Revisions kept for watches and pages of the past. Default 5,000 on disk, 1,000 in memory. */
  history?: number;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS revision (rv INTEGER PRIMARY KEY, key TEXT NOT NULL, deleted INTEGER NOT NULL, value TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS revision_by_key ON revision (key, rv);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
`;

/** The end of a prefix's range: the prefix with its last character raised. */
const endOf = (prefix: string): string =>
  prefix === '' ? '\u{10ffff}' : prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);

/**
 * Opens the store.
 * @throws Error with code LTN804 in its text when another process has the folder
 */
export function openStore(options: StoreOptions = {}): Store {
  let unlock = (): void => undefined;
  if (options.folder !== undefined) {
    mkdirSync(options.folder, { recursive: true });
    unlock = lockFolder(options.folder);
  }
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(options.folder === undefined ? ':memory:' : join(options.folder, 'cluster.db'));
    database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-2048; PRAGMA temp_store=MEMORY');
    database.exec(SCHEMA);
  } catch (error) {
    unlock();
    throw error;
  }
  const history = options.history ?? (options.folder === undefined ? 1_000 : 5_000);
  const prepare = (sql: string): StatementSync => database.prepare(sql);

  const statements = {
    get: prepare('SELECT rv, value, deleted FROM revision WHERE key = ? ORDER BY rv DESC LIMIT 1'),
    // SQLite takes the other columns of a group from the row that has the maximum.
    list: prepare(
      'SELECT rv, key, value FROM (SELECT max(rv) AS rv, key, value, deleted FROM revision WHERE key > ? AND key < ? AND rv <= ? GROUP BY key) WHERE deleted = 0 LIMIT ?',
    ),
    count: prepare(
      'SELECT count(*) AS n FROM (SELECT max(rv) AS rv, deleted FROM revision WHERE key > ? AND key < ? AND rv <= ? GROUP BY key) WHERE deleted = 0',
    ),
    put: prepare('INSERT INTO revision (rv, key, deleted, value) VALUES (?, ?, ?, ?)'),
    changes: prepare('SELECT rv, key, value, deleted FROM revision WHERE rv > ? AND key > ? AND key < ? ORDER BY rv'),
    before: prepare('SELECT value, deleted FROM revision WHERE key = ? AND rv < ? ORDER BY rv DESC LIMIT 1'),
    compact: prepare(
      'DELETE FROM revision WHERE rv <= ?1 AND (deleted = 1 OR EXISTS (SELECT 1 FROM revision AS later WHERE later.key = revision.key AND later.rv > revision.rv AND later.rv <= ?1))',
    ),
    setting: prepare('SELECT value FROM setting WHERE name = ?'),
    setSetting: prepare('INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value'),
    last: prepare('SELECT max(rv) AS rv FROM revision'),
  };
  const setting = (name: string): string | undefined =>
    (statements.setting.get(name) as { value: string } | undefined)?.value;
  const setSetting = (name: string, value: string): void => void statements.setSetting.run(name, value);

  // Deletions that were compacted may have been the last revision: the counter must not go back.
  let revision = Math.max((statements.last.get() as { rv: number | null }).rv ?? 0, Number(setting('revision') ?? 0));
  let compacted = Number(setting('compacted') ?? 0);
  let nextCompaction = revision + history + history / 4;

  const write = (key: string, text: string, rv: number, deleted: number): void => {
    if (rv !== revision + 1) throw new Error(`revision ${rv} does not follow ${revision}`);
    statements.put.run(rv, key, deleted, text);
    revision = rv;
    if (rv >= nextCompaction) {
      compact(rv - history);
      nextCompaction = rv + history / 4;
    }
  };
  const compact = (upTo: number): void => {
    if (upTo <= compacted) return;
    database.exec('BEGIN');
    try {
      setSetting('revision', String(revision));
      setSetting('compacted', String(upTo));
      statements.compact.run(upTo);
      database.exec('COMMIT');
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
    }
    compacted = upTo;
  };
  const range = (prefix: string, options: { after?: string; at?: number }): [string, string, number] => {
    const at = options.at ?? revision;
    if (at < compacted) throw new CompactedError(compacted);
    return [options.after ?? prefix, endOf(prefix), at];
  };
  let closed = false;

  return {
    get revision() {
      return revision;
    },
    get compacted() {
      return compacted;
    },
    get(key) {
      const row = statements.get.get(key) as { rv: number; value: string; deleted: number } | undefined;
      return row && !row.deleted ? { rv: row.rv, key, text: row.value } : undefined;
    },
    list(prefix, listOptions = {}) {
      const rows = statements.list.all(...range(prefix, listOptions), listOptions.limit ?? -1) as unknown as {
        rv: number;
        key: string;
        value: string;
      }[];
      return rows.map((row) => ({ rv: row.rv, key: row.key, text: row.value }));
    },
    count: (prefix, countOptions = {}) => (statements.count.get(...range(prefix, countOptions)) as { n: number }).n,
    put: (key, text, rv) => write(key, text, rv, 0),
    remove: (key, text, rv) => write(key, text, rv, 1),
    changes(prefix, after) {
      if (after < compacted) throw new CompactedError(compacted);
      const rows = statements.changes.all(after, prefix, endOf(prefix)) as unknown as {
        rv: number;
        key: string;
        value: string;
        deleted: number;
      }[];
      return rows.map((row) => {
        const before = statements.before.get(row.key, row.rv) as { value: string; deleted: number } | undefined;
        return {
          rv: row.rv,
          key: row.key,
          text: row.value,
          deleted: row.deleted === 1,
          before: before && !before.deleted ? before.value : undefined,
        };
      });
    },
    compact,
    setting,
    setSetting,
    close() {
      if (closed) return;
      closed = true;
      try {
        database.close();
      } finally {
        unlock();
      }
    },
  };
}
