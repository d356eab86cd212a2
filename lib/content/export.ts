import type { Writable } from 'node:stream'
import {
  classNamed,
  type ExportCandidate,
  type ExportOptions,
  type ExportSummary,
  exportSubtree,
  type Persistent,
  type SubtreeContext,
  storedNameOf,
} from '../persistence/index.js'
import { RootFolder } from './container.js'
import { isLeftOut } from './copy.js'
import { MAX_DEPTH } from './location.js'

/**
 * Writes an object with all that is inside it as JSON lines, as the running transaction found them,
 * without its own changes. What has a place elsewhere is left out, and listed in the summary; objects
 * without a place belong to those that refer to them. Items that no copy has are not exported either,
 * see {@link LEFT_OUT_OF_COPIES}. See {@link exportSubtree}.
 *
 * ```ts
 * await db.view(({ root }) => exportObject(root.getItem('NOAA'), './noaa.jsonl'))
 * ```
 *
 * {@link importObject} reads it. There the object has no place; put it into a container.
 *
 * @throws PERSISTENCE_OUTSIDE_TRANSACTION, STORAGE_OBJECT_NOT_FOUND, PERSISTENCE_DANGLING_REFERENCE;
 *   the signal's reason; the errors of the file system.
 * @public
 */
export function exportObject(
  object: Persistent,
  to: string | Writable,
  options: ExportOptions = {},
): Promise<ExportSummary> {
  return exportSubtree(object, to, { ...options, belongs: isInside })
}

/** By the stored places: the classes may be missing. */
function isInside(
  candidate: ExportCandidate,
  { isExported, lookUp }: SubtreeContext,
): boolean | 'omit' {
  if (isLeftOut(classNamed(candidate.storedName))) return 'omit'
  let at: ExportCandidate | undefined = candidate
  for (let depth = 0; at !== undefined && depth < MAX_DEPTH; depth++) {
    const parent = at.referenceIn('__parent__')
    // The root folder is above everything, and belongs to nobody.
    if (parent === undefined) return at === candidate && at.storedName !== storedNameOf(RootFolder)
    if (isExported(parent)) return true
    at = lookUp(parent)
  }
  return false
}
