import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  Blob,
  BTree,
  exportSubtree,
  field,
  importObject,
  ObjectDatabase,
  stored,
} from '../../lib/persistence/index.js'
import { blobFilesIn, textOf } from '../support/blob-builders.js'
import { aDatabase } from '../support/persistence-builders.js'
import { codeThrownBy, TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()

afterEach(() => directories.removeAll())

/** A blob that is a tree as well. */
@stored('spec.Album')
class Album extends BTree<string, Blob> {
  @field accessor cover: Blob | undefined = undefined
}

const LARGE = 'large '.repeat(200_000)

async function anAlbum(db: ObjectDatabase): Promise<void> {
  await db.transaction(async ({ rootMapping }) => {
    const album = new Album()
    rootMapping.set('album', album)
    album.cover = new Blob()
    await album.cover.write(['cover'])
    const [large, empty, nothing] = [new Blob(), new Blob(), new Blob()]
    await large.write([LARGE])
    await empty.write([])
    album.set('large', large)
    album.set('empty', empty)
    album.set('nothing', nothing)
  })
}

async function exported(db: ObjectDatabase): Promise<string> {
  const stream = new PassThrough()
  const [content] = await Promise.all([
    text(stream),
    db.view(({ rootMapping }) => exportSubtree(rootMapping.get('album')!, stream)),
  ])
  return content
}

async function imported(db: ObjectDatabase, content: string): Promise<void> {
  const path = join(await directories.create(), 'album.jsonl')
  await writeFile(path, content)
  const { root } = await importObject(db, path)
  await db.transaction(({ rootMapping, connection }) => {
    rootMapping.set('album', connection.get(root))
  })
}

describe('An export', () => {
  test('has the contents of blobs, which are others after an import', async () => {
    const source = await aDatabase()
    const directory = await directories.create()
    const target = await ObjectDatabase.open(directory)
    await anAlbum(source)
    await imported(target, await exported(source))
    await source.close()
    target.cacheClear()
    await target.view(async ({ rootMapping }) => {
      const album = rootMapping.get('album') as Album
      expect(await textOf(album.cover!)).toBe('cover')
      expect(await textOf(album.get('large')!)).toBe(LARGE)
      expect([album.get('empty')?.size, album.get('nothing')?.size]).toEqual([0, 0])
    })
    expect(blobFilesIn(directory)).toMatchObject({ drafts: [], uncertain: [] })
    await target.close()
  })

  test.each<[string, (lines: string[]) => string[], string]>([
    [
      'a piece of a content is missing',
      (lines) => lines.filter((line, at) => !(isBlob(line) && isBlob(lines[at + 1] ?? ''))),
      'PERSISTENCE_INVALID_EXPORT',
    ],
    [
      'a content is another one',
      (lines) =>
        lines.map((line) => (isBlob(line) ? line.replace(/"data":"..../, '"data":"AAAA') : line)),
      'PERSISTENCE_INVALID_EXPORT',
    ],
    [
      'a content stands elsewhere',
      (lines) => [...lines.filter((line) => !isBlob(line)), ...lines.filter(isBlob)],
      'PERSISTENCE_INVALID_EXPORT',
    ],
  ])('is refused when %s, and nothing is left of it', async (_, spoil, code) => {
    const source = await aDatabase()
    await anAlbum(source)
    const lines = (await exported(source)).trimEnd().split('\n')
    await source.close()
    const directory = await directories.create()
    const target = await ObjectDatabase.open(directory)
    expect(await codeThrownBy(() => imported(target, `${spoil(lines).join('\n')}\n`))).toBe(code)
    expect(blobFilesIn(directory).drafts).toEqual([])
    await target.close()
  })

  test('fails when a content is missing', async () => {
    const directory = await directories.create()
    const db = await ObjectDatabase.open(directory)
    await anAlbum(db)
    for (const path of blobFilesIn(directory).contents) await rm(path)
    const path = join(directory, '..', 'never.jsonl')
    const code = await db.view(({ rootMapping }) =>
      codeThrownBy(() => exportSubtree(rootMapping.get('album')!, path)),
    )
    expect(code).toBe('PERSISTENCE_BLOB_MISSING')
    await db.close()
  })
})

function isBlob(line: string): boolean {
  return line.startsWith('{"kind":"blob"')
}
