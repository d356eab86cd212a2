import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'

/** @internal */
export interface ResponseContent {
  readonly content: string
  /** True when something is missing from it. */
  readonly isCut: boolean
}

interface Body {
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly isCut: boolean
}

/** @internal */
export function isCompressed({ headers, body }: Body): boolean {
  const encoding = headers['content-encoding']
  return encoding !== undefined && encodingOf(encoding) !== 'identity' && body.length > 0
}

/** The text of a body that is not compressed. @internal */
export function plainContent({ headers, body, isCut }: Body): ResponseContent {
  return { content: decode(body, headers['content-type']), isCut }
}

/**
 * The text of a compressed body, expanded up to `maxBytes` and no further, whatever it could have
 * become. One that is compressed twice, or in an unknown way, gives no text.
 * @internal
 */
export async function expandedContent(
  { headers, body, isCut }: Body,
  maxBytes: number,
): Promise<ResponseContent> {
  const decompressor = DECOMPRESSORS.get(encodingOf(headers['content-encoding'] ?? ''))
  if (decompressor === undefined) return { content: '', isCut: true }
  const expanded = await expand(decompressor(), body, maxBytes)
  return {
    content: decode(expanded.bytes, headers['content-type']),
    isCut: isCut || expanded.isCut,
  }
}

function encodingOf(header: string): string {
  return header.trim().toLowerCase() || 'identity'
}

const DECOMPRESSORS = new Map<string, () => NodeJS.ReadWriteStream>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
])

/** Output is read in pieces of 16 KiB, so what is not wanted is never made. */
async function expand(
  decompressor: NodeJS.ReadWriteStream,
  body: Buffer,
  maxBytes: number,
): Promise<{ readonly bytes: Buffer; readonly isCut: boolean }> {
  const pieces: Buffer[] = []
  let size = 0
  decompressor.end(body)
  try {
    for await (const piece of decompressor as AsyncIterable<Buffer>) {
      pieces.push(piece)
      size += piece.length
      if (size > maxBytes)
        return { bytes: Buffer.concat(pieces).subarray(0, maxBytes), isCut: true }
    }
    return { bytes: Buffer.concat(pieces), isCut: false }
  } catch {
    return { bytes: Buffer.concat(pieces), isCut: true }
  }
}

function decode(bytes: Buffer, contentType: string | undefined): string {
  const charset = contentType && /;\s*charset="?([^\s;"]+)/i.exec(contentType)?.[1]?.toLowerCase()
  if (!charset || charset === 'utf-8' || charset === 'utf8') return bytes.toString('utf8')
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    return bytes.toString('utf8')
  }
}
