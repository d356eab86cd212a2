import { aFunction, anAbortSignal, type OptionRules } from '../foundation/index.js'

/**
 * An export is JSON lines, in UTF-8, each ended by `\n`:
 *
 * | line    | properties                                           | how often                          |
 * | ------- | ---------------------------------------------------- | ---------------------------------- |
 * | header  | `format`, `version`, `root`: the oid of the first object | first                          |
 * | object  | `kind: 'object'`, `oid`, `class`: its stored name, `fields`: name → value | for each object |
 * | entries | `kind: 'entries'`, `of`: oid, `entries`: array of `[key, value]` | for each 100 entries of a tree, behind its object |
 * | end     | `kind: 'end'`, `objects`, `entries`: how many of each | last                              |
 *
 * The content of a blob stands behind its object, whose line has `blob: [size, SHA-256 in hex]`, in lines of
 * 192 KiB each:
 *
 * | line    | properties                                           | how often                          |
 * | ------- | ---------------------------------------------------- | ---------------------------------- |
 * | blob    | `kind: 'blob'`, `of`: oid, `data`: base64            | as the content needs               |
 *
 * Values are {@link ExportedValue}s.
 */

/** On disk. */
export const EXPORT_FORMAT = 'treehook-export'
/** On disk. */
export const EXPORT_VERSION = 1

/** How far an export or import has come. @public */
export interface ExportProgress {
  readonly objects: number
  /** Of all trees. */
  readonly entries: number
}

/** @public */
export interface ExportOptions {
  /** Ends it with the signal's reason. */
  readonly signal?: AbortSignal
  /** Called about once for each 64 KiB. */
  readonly onProgress?: (progress: ExportProgress) => void
}

export const exportOptionRules: OptionRules<ExportOptions> = {
  signal: anAbortSignal,
  onProgress: aFunction,
}
