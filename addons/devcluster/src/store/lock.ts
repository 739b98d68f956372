/**
 * Keeps a second process off a data folder. SQLite itself holds the lock, in a file of its own: the operating system takes it
 * away when the process ends in any way, so no stale lock ever has to be broken.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** The folder is in use. `code` is what the catalogue of errors calls it. */
export class FolderInUseError extends Error {
  readonly code = 'LTN804';
  constructor(folder: string) {
    super(`LTN804: The data folder is in use by another process: ${folder}`);
    this.name = 'FolderInUseError';
  }
}

/**
 * Takes the folder's lock. @returns what gives it back.
 * @throws FolderInUseError when another process (or another server of this one) has it
 */
export function lockFolder(folder: string): () => void {
  const database = new DatabaseSync(join(folder, 'lock'));
  try {
    database.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (/locked|busy/i.test(String(error))) throw new FolderInUseError(folder);
    throw error;
  }
  return () => database.close();
}
