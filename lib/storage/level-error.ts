/**
 * Reads LevelDB's errors, which say what happened in a code, a message, or a cause further down:
 * `LEVEL_LOCKED` arrives as the cause of `LEVEL_DATABASE_NOT_OPEN`.
 */

/** The error and everything below it, outermost first. */
export function causesOf(error: unknown): readonly unknown[] {
  const causes: unknown[] = []
  for (let at = error; at !== undefined && at !== null && !causes.includes(at); ) {
    causes.push(at)
    at = (at as { cause?: unknown }).cause
  }
  return causes
}

/** Whether the error or one below it has this code. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return causesOf(error).some((cause) =>
    codes.includes((cause as { code?: unknown }).code as string),
  )
}

/** Whether LevelDB found its own files damaged, or could not read them. */
export function isUnreadable(error: unknown): boolean {
  return hasCode(error, 'LEVEL_CORRUPTION') || isIoError(error)
}

/** Whether the disk or the file system failed, for whatever reason. */
export function isDiskFailure(error: unknown): boolean {
  return hasCode(error, 'EIO') || isIoError(error)
}

/** An error of `getSync` says so in its words alone: classic-level gives it no code. */
function isIoError(error: unknown): boolean {
  return hasCode(error, 'LEVEL_IO_ERROR') || says(error, /^IO error: /)
}

/** Whether the disk, or the share of it that this user may fill, was full. */
export function isDiskFull(error: unknown): boolean {
  return hasCode(error, 'ENOSPC', 'EDQUOT') || says(error, /No space left|ENOSPC|quota exceeded/i)
}

/** Whether the file system refused to be written. */
export function isNotWritable(error: unknown): boolean {
  return (
    hasCode(error, 'EACCES', 'EPERM', 'EROFS') ||
    says(error, /Permission denied|Operation not permitted|Read-only file system/i)
  )
}

/** LevelDB passes the operating system's own words on, and nothing else of its error. */
export function says(error: unknown, words: RegExp): boolean {
  return causesOf(error).some((cause) =>
    words.test(String((cause as { message?: unknown }).message)),
  )
}
