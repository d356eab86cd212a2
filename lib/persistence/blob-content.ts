import type { BlobName, ClassRow, Oid, Storage, StorageRecord } from '../storage/index.js'
import { CorruptRecordError, formatOid, StorageClosedError } from '../storage/index.js'
import { blobIndexIn } from './class-layout.js'
import { unpackState } from './state-codec.js'

/** What a blob's record says of its content. A blob without is empty. @public */
export interface BlobContent {
  readonly id: string
  readonly size: number
  /** In hex. */
  readonly sha256: string
  /** Under whose oid it is kept; its own, once committed. */
  readonly oid?: Oid | undefined
}

/**
 * The content that a record names, `undefined` when it is no blob's, or an empty one's. Needs no class
 * of the application.
 * @throws STORAGE_CORRUPT_RECORD
 */
export function blobContentOf(
  record: StorageRecord,
  { fields }: Pick<ClassRow, 'fields'>,
): BlobContent | undefined {
  const index = blobIndexIn(fields)
  if (index === -1) return undefined
  const content = unpackState(record)[index]
  if (content === undefined || content === null) return undefined
  if (isContent(content)) return content
  throw new CorruptRecordError(
    `The blob with oid ${formatOid(record.oid)} names no content that can be one. Restore this object from a backup.`,
    { details: { oid: formatOid(record.oid) } },
  )
}

/** Whether a revision that is kept names this content. One that cannot be read counts as one that does. */
export function isNamed(storage: Storage, { oid, contentId }: BlobName): boolean {
  try {
    return storage.revisions(oid).some(({ tid, removed }) => {
      const record = removed ? undefined : storage.loadRevision(oid, tid)
      const row = record && storage.classes[record.classId - 1]
      return row !== undefined && blobContentOf(record as StorageRecord, row)?.id === contentId
    })
  } catch (error) {
    if (error instanceof StorageClosedError) throw error
    return true
  }
}

function isContent(value: unknown): value is BlobContent {
  const { id, size, sha256 } = value as { id?: unknown; size?: unknown; sha256?: unknown }
  return typeof id === 'string' && typeof size === 'number' && typeof sha256 === 'string'
}
