import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { Blob, type BTree, type Persistent } from '../../lib/persistence/index.js'

interface Rooted {
  readonly rootMapping: BTree<string, Persistent>
}

/** The blob under the name `photo`. */
export function photoOf({ rootMapping }: Rooted): Blob {
  return rootMapping.get('photo') as Blob
}

/** The photo, made when there is none. */
export function aPhotoIn({ rootMapping }: Rooted): Blob {
  const known = rootMapping.get('photo')
  if (known !== undefined) return known as Blob
  const photo = new Blob()
  rootMapping.set('photo', photo)
  return photo
}

export async function textOf(blob: Blob): Promise<string> {
  return (await blob.bytes()).toString()
}

/** Pieces, the last of which is the error, if one is given. */
export function aStream(pieces: readonly string[], error?: Error): Readable {
  return Readable.from(
    (async function* () {
      for (const piece of pieces) {
        await new Promise(setImmediate)
        yield Buffer.from(piece)
      }
      if (error !== undefined) throw error
    })(),
  )
}

/** The files of contents in a database's directory: `contents` without their oids, in no order. */
export function blobFilesIn(directory: string): {
  readonly contents: readonly string[]
  readonly drafts: readonly string[]
  readonly uncertain: readonly string[]
} {
  const blobs = join(directory, 'blobs')
  const shards = namesIn(blobs).filter((name) => /^[0-9a-f]{2}$/.test(name))
  return {
    contents: shards.flatMap((shard) =>
      namesIn(join(blobs, shard)).map((one) => join(blobs, shard, one)),
    ),
    drafts: namesIn(join(blobs, 'drafts')),
    uncertain: namesIn(join(blobs, 'uncertain')),
  }
}

function namesIn(directory: string): readonly string[] {
  return statSync(directory, { throwIfNoEntry: false }) === undefined ? [] : readdirSync(directory)
}
