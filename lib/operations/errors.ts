import { resolve } from 'node:path'
import { defineError, type ErrorClass } from '../foundation/index.js'
import { hasCode, isNotWritable, NotADirectoryError, NotWritableError } from '../storage/index.js'

/** There is no backup to restore, or none as old as asked for. @public */
export class NoBackupError extends defineError('NoBackupError', 'OPERATIONS_NO_BACKUP') {}

/** A backup is not what was once written, or a part of it is missing. @public */
export class DamagedBackupError extends defineError(
  'DamagedBackupError',
  'OPERATIONS_DAMAGED_BACKUP',
) {
  /** @param why - what is wrong with it, as the end of a sentence. */
  static of({
    file,
    why,
    cause,
  }: {
    readonly file: string
    readonly why: string
    readonly cause?: unknown
  }): DamagedBackupError {
    return new DamagedBackupError(
      `The backup file ${file} cannot be used: ${why}. Use an earlier backup; verifyBackup says which are sound.`,
      { cause, details: { file } },
    )
  }
}

/** Two databases are not the same, or no longer: one cannot continue the other. @public */
export class OtherDatabaseError extends defineError(
  'OtherDatabaseError',
  'OPERATIONS_OTHER_DATABASE',
) {}

/** An option of an operation that does not exist, or has a value that it cannot have. @public */
export class InvalidOperationOptionError extends defineError(
  'InvalidOperationOptionError',
  'OPERATIONS_INVALID_OPTION',
) {}

/** What the file system says of a directory, in our words; anything else as it is. */
export function unusableDirectory(directory: string, cause: unknown): unknown {
  const options = { cause, details: { location: resolve(directory) } }
  if (hasCode(cause, 'EEXIST', 'ENOTDIR')) {
    return new NotADirectoryError(
      `${resolve(directory)} is no directory. Name one, or a path where one can be created.`,
      options,
    )
  }
  if (!isNotWritable(cause) && !hasCode(cause, 'ENOENT')) return cause
  return new NotWritableError(
    `${resolve(directory)} cannot be written by this process. Change its permissions, or name another directory.`,
    options,
  )
}

/** Every class of this layer's error table, in the order of this file. */
export const operationsErrors: readonly ErrorClass[] = [
  NoBackupError,
  DamagedBackupError,
  OtherDatabaseError,
  InvalidOperationOptionError,
]
