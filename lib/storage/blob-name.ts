import { randomBytes } from 'node:crypto'
import { formatOid, type Oid } from './oid.js'

/** One content of one blob. Never given to another content, and never overwritten. @public */
export interface BlobName {
  readonly oid: Oid
  /** 32 hex digits, random. */
  readonly contentId: string
}

export function newContentId(): string {
  return randomBytes(16).toString('hex')
}

/** The name of its file: `<oid, 16 hex digits>-<content id>`. */
export function formatBlobName({ oid, contentId }: BlobName): string {
  return `${formatOid(oid)}-${contentId}`
}

/** `undefined` for a text that is none. */
export function parseBlobName(text: string): BlobName | undefined {
  const match = /^([0-9a-f]{16})-([0-9a-f]{32})$/.exec(text)
  if (match === null) return undefined
  const oid = Number.parseInt(match[1] as string, 16) as Oid
  return { oid, contentId: match[2] as string }
}
