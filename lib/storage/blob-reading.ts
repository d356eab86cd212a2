import type { BlobSource } from './blob-store.js'

const PIECE_BYTES = 256 * 1024

/** The bytes from `start` to `end`, the first included, the last excluded, piece by piece. */
export async function* piecesOf(
  source: BlobSource,
  {
    start = 0,
    end = source.size,
    pieceBytes = PIECE_BYTES,
  }: { readonly start?: number; readonly end?: number; readonly pieceBytes?: number } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = start; at < end; ) {
    const bytes = await source.read(at, Math.min(pieceBytes, end - at))
    if (bytes.length === 0) return
    at += bytes.length
    yield bytes
  }
}

/** All bytes of a content, which is closed. */
export async function readWhole(source: BlobSource): Promise<Uint8Array> {
  try {
    const pieces: Uint8Array[] = []
    for await (const piece of piecesOf(source)) pieces.push(piece)
    return Buffer.concat(pieces)
  } finally {
    source.close()
  }
}
