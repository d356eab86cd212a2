import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  Blob,
  cloneOf,
  field,
  ObjectDatabase,
  type ObjectDatabaseOptions,
  stored,
} from '../../lib/persistence/index.js'
import type { LevelStorage } from '../../lib/storage/index.js'
import { currentTransaction } from '../../lib/transaction/index.js'
import { aPhotoIn, aStream, blobFilesIn, photoOf, textOf } from '../support/blob-builders.js'
import { aConnection, aMemoryPlace, Employee } from '../support/persistence-builders.js'
import { codeThrownBy, errorOf, TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
const open: ObjectDatabase[] = []

afterEach(async () => {
  for (const db of open.splice(0)) await db.close()
  await directories.removeAll()
})

async function inDirectory(
  options: ObjectDatabaseOptions = {},
  directory?: string,
): Promise<{ db: ObjectDatabase; directory: string }> {
  const place = directory ?? (await directories.create())
  const db = await ObjectDatabase.open(place, { onError: () => undefined, ...options })
  open.push(db)
  return { db, directory: place }
}

function write(db: ObjectDatabase, text: string): Promise<void> {
  return db.transaction((context) => aPhotoIn(context).write(Buffer.from(text)))
}

const NOTHING = { contents: [], drafts: [], uncertain: [] }

describe.each(['directory', 'memory'])('A blob, in a %s', (kind) => {
  async function aDatabase(options: ObjectDatabaseOptions = {}): Promise<ObjectDatabase> {
    if (kind === 'directory') return (await inDirectory(options)).db
    const db = await aMemoryPlace()(options)
    open.push(db)
    return db
  }

  test('is empty at first', async () => {
    const db = await aDatabase()
    await db.transaction((context) => void aPhotoIn(context))
    await db.view(async (context) => {
      const photo = photoOf(context)
      expect([photo.size, photo.sha256, await textOf(photo)]).toEqual([0, undefined, ''])
      expect(await buffer(photo.createReadStream())).toHaveLength(0)
    })
  })

  test('gives back what was written, from the next transaction on', async () => {
    const db = await aDatabase()
    await write(db, 'hello')
    db.cacheClear()
    await db.view(async (context) => {
      const photo = photoOf(context)
      expect([photo.size, await textOf(photo)]).toEqual([5, 'hello'])
      expect(photo.sha256).toMatch(/^2cf24dba5fb0/)
    })
  })

  test.each<[string, () => Parameters<Blob['write']>[0]]>([
    ['bytes', () => Buffer.from('hello')],
    ['an ArrayBuffer', () => new Uint8Array(Buffer.from('hello')).buffer],
    ['a stream', () => aStream(['he', 'l', 'lo'])],
    [
      'an async iterable of texts',
      () =>
        (async function* () {
          yield 'hel'
          yield 'lo'
        })(),
    ],
    ['an iterable', () => ['hello']],
    ['a web stream', () => Readable.toWeb(aStream(['hello'])) as AsyncIterable<Uint8Array>],
  ])('is written from %s', async (_, input) => {
    const db = await aDatabase()
    await db.transaction((context) => aPhotoIn(context).write(input()))
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('hello')
  })

  test('is written from a file, by its path', async () => {
    const path = join(await directories.create(), 'hello')
    await writeFile(path, 'hello')
    const db = await aDatabase()
    await db.transaction((context) => aPhotoIn(context).write(path))
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('hello')
    expect(await readFile(path, 'utf8')).toBe('hello')
  })

  test('takes a file over', async () => {
    const path = join(await directories.create(), 'hello')
    await writeFile(path, 'hello')
    const db = await aDatabase()
    await db.transaction((context) => aPhotoIn(context).consumeFile(path))
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('hello')
    expect(existsSync(path)).toBe(false)
  })

  test('reads its new content in the transaction that wrote it', async () => {
    const db = await aDatabase()
    await write(db, 'old')
    await db.transaction(async (context) => {
      const photo = photoOf(context)
      await photo.write(Buffer.from('newer'))
      expect([photo.size, await textOf(photo)]).toEqual([5, 'newer'])
    })
  })

  test('may be written before it has a place', async () => {
    const db = await aDatabase()
    await db.transaction(async ({ rootMapping }) => {
      const photo = new Blob()
      await photo.write(Buffer.from('hello'))
      rootMapping.set('photo', photo)
    })
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('hello')
  })

  test('may be written outside of any transaction, and is committed however often that is tried', async () => {
    const db = await aDatabase()
    const photo = new Blob()
    await photo.write(Buffer.from('hello'))
    expect([photo.size, await textOf(photo)]).toEqual([5, 'hello'])
    await db
      .transaction(({ rootMapping, transaction }) => {
        rootMapping.set('photo', photo)
        transaction.join({
          sortKey: '~~~',
          abort() {},
          tpcBegin() {},
          commit() {},
          tpcVote() {
            throw new Error('no')
          },
          tpcFinish() {},
          tpcAbort() {},
        })
      })
      .catch(() => undefined)
    await db.transaction(({ rootMapping }) => void rootMapping.set('photo', photo))
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('hello')
  })

  test('streams a part, its end included', async () => {
    const db = await aDatabase()
    await write(db, '0123456789')
    await db.view(async (context) => {
      const part = async (range: { start?: number; end?: number }): Promise<string> =>
        (await buffer(photoOf(context).createReadStream(range))).toString()
      expect(await part({ start: 2, end: 4 })).toBe('234')
      expect(await part({ start: 8 })).toBe('89')
      expect(await part({ end: 0 })).toBe('0')
      expect(await part({ start: 20 })).toBe('')
      expect(await part({ start: 8, end: 100 })).toBe('89')
    })
  })

  test.each([
    { start: -1 },
    { start: 1.5 },
    { end: -1 },
    { start: 3, end: 2 },
    { end: Number.NaN },
  ])('refuses the range %p', async (range) => {
    const db = await aDatabase()
    await write(db, '0123456789')
    const code = await db.view((context) =>
      codeThrownBy(() => photoOf(context).createReadStream(range)),
    )
    expect(code).toBe('PERSISTENCE_INVALID_RANGE')
  })

  test.each([5, null, undefined, {}, [5]])('is not written from %p', async (input) => {
    const db = await aDatabase()
    await write(db, 'old')
    await db.transaction(async (context) => {
      const photo = photoOf(context)
      expect(await codeThrownBy(() => photo.write(input as never))).toBe(
        'PERSISTENCE_UNSTORABLE_VALUE',
      )
    })
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('old')
  })

  test('is larger than any piece that it is read in', async () => {
    const db = await aDatabase()
    const content = Buffer.alloc(3_000_000, 'abcdefg')
    await db.transaction((context) => aPhotoIn(context).write(content))
    await db.view(async (context) => {
      expect((await photoOf(context).bytes()).equals(content)).toBe(true)
      const part = await buffer(
        photoOf(context).createReadStream({ start: 999_999, end: 1_999_999 }),
      )
      expect(part.equals(content.subarray(999_999, 2_000_000))).toBe(true)
    })
  })

  test('has its earlier content again after an abort', async () => {
    const db = await aDatabase()
    await write(db, 'old')
    const { connection, transactions } = aConnection(db)
    transactions.begin()
    const photo = photoOf(connection)
    await photo.write(Buffer.from('new'))
    await transactions.abort()
    transactions.begin()
    expect(await textOf(photo)).toBe('old')
    await transactions.abort()
    connection.close()
  })

  test('a new one that was aborted says that its content is gone', async () => {
    const db = await aDatabase()
    let photo = new Blob()
    await errorOf(() =>
      db.transaction(async (context) => {
        photo = aPhotoIn(context)
        await photo.write(Buffer.from('new'))
        throw new Error('no')
      }),
    )
    expect(await codeThrownBy(() => photo.bytes())).toBe('PERSISTENCE_BLOB_DISCARDED')
    const again = db.transaction(({ rootMapping }) => void rootMapping.set('photo', photo))
    expect(await codeThrownBy(() => again)).toBe('PERSISTENCE_BLOB_DISCARDED')
    await db.transaction(async ({ rootMapping }) => {
      rootMapping.set('photo', photo)
      await photo.write(Buffer.from('again'))
    })
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('again')
  })

  test('a rollback brings back the content of the savepoint', async () => {
    const db = await aDatabase()
    await write(db, 'committed')
    await db.transaction(async (context) => {
      const photo = photoOf(context)
      const first = context.transaction.savepoint()
      await photo.write(Buffer.from('one'))
      const second = context.transaction.savepoint()
      await photo.write(Buffer.from('two'))
      second.rollback()
      expect(await textOf(photo)).toBe('one')
      await photo.write(Buffer.from('three'))
      second.rollback()
      expect(await textOf(photo)).toBe('one')
      first.rollback()
      expect(await textOf(photo)).toBe('committed')
      await photo.write(Buffer.from('four'))
    })
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('four')
  })

  test('a new one that a rollback let go keeps its content', async () => {
    const db = await aDatabase()
    await db.transaction(async ({ connection, rootMapping, transaction }) => {
      const savepoint = transaction.savepoint()
      const photo = new Blob()
      connection.add(photo)
      await photo.write(Buffer.from('hello'))
      savepoint.rollback()
      rootMapping.set('photo', photo)
    })
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('hello')
  })

  test('of two transactions that write it the second one conflicts', async () => {
    const db = await aDatabase()
    await write(db, 'old')
    const [one, other] = [aConnection(db), aConnection(db)]
    one.transactions.begin()
    other.transactions.begin()
    await photoOf(one.connection).write(Buffer.from('one'))
    await photoOf(other.connection).write(Buffer.from('other'))
    await one.transactions.commit()
    expect(await codeThrownBy(() => other.transactions.commit())).toBe('STORAGE_CONFLICT')
    await other.transactions.abort()
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('one')
    one.connection.close()
    other.connection.close()
  })

  test('a transaction that began before reads its own revision, and then it goes', async () => {
    const db = await aDatabase()
    await write(db, 'old')
    const reader = aConnection(db)
    reader.transactions.begin()
    const photo = photoOf(reader.connection)
    await write(db, 'new')
    expect(await textOf(photo)).toBe('old')
    expect(await namesOf(db)).toHaveLength(2)
    await reader.transactions.abort()
    reader.connection.close()
    await settled(db, 1)
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('new')
  })

  test('an open stream reads on, whatever is committed meanwhile', async () => {
    const db = await aDatabase()
    await write(db, 'old')
    const stream = await db.view((context) => photoOf(context).createReadStream())
    await write(db, 'new')
    await settled(db, 1)
    expect((await buffer(stream)).toString()).toBe('old')
  })

  test('a stream that nobody reads lets go when it is destroyed', async () => {
    const db = await aDatabase()
    await write(db, 'old')
    const stream = await db.view((context) => photoOf(context).createReadStream())
    stream.destroy()
    await once(stream, 'close')
    expect(stream.destroyed).toBe(true)
  })

  test('with history every revision can be read, until a pack', async () => {
    const history = { history: 'all' } as const
    const { db } = kind === 'directory' ? await inDirectory(history) : { db: undefined }
    if (db === undefined) return
    await write(db, 'one')
    const first = db.lastTid
    await write(db, 'two')
    const second = db.lastTid
    await write(db, 'three')
    const at = (tid: typeof first): Promise<string> =>
      db.at(tid, (context) => textOf(photoOf(context)))
    expect([await at(first), await at(second), await at(db.lastTid)]).toEqual([
      'one',
      'two',
      'three',
    ])
    await db.undo([db.lastTid, second])
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('one')
    await db.at(first, async (context) => {
      await db.pack({ graceMs: 0 })
      expect(await textOf(photoOf(context))).toBe('one')
    })
    await db.pack({ graceMs: 0 })
    expect(await namesOf(db)).toHaveLength(1)
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('one')
  })

  test('a pack removes the contents of blobs that nothing leads to, and no others', async () => {
    const db = await aDatabase()
    await write(db, 'kept')
    await db.transaction(async ({ rootMapping }) => {
      const lost = new Blob()
      rootMapping.set('lost', lost)
      await lost.write(Buffer.from('lost'))
    })
    await db.transaction(({ rootMapping }) => void rootMapping.delete('lost'))
    expect(await namesOf(db)).toHaveLength(2)
    await db.pack({ graceMs: 0 })
    expect(await namesOf(db)).toHaveLength(1)
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('kept')
  })

  test('a pack leaves the contents of transactions under way alone', async () => {
    const db = await aDatabase()
    await db.transaction(async (context) => {
      await aPhotoIn(context).write(Buffer.from('hello'))
      await db.pack({ graceMs: 0 })
      context.transaction.join({
        sortKey: '~~~',
        abort() {},
        tpcBegin() {},
        commit() {},
        // The content is in its place by now, and no record names it yet.
        async tpcVote() {},
        tpcFinish() {},
        tpcAbort() {},
      })
    })
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('hello')
  })

  test('a commit does not go with a write that has not ended', async () => {
    const db = await aDatabase()
    await write(db, 'old')
    let end: () => void = () => undefined
    const isEnded = new Promise<void>((resolve) => {
      end = resolve
    })
    let writing: Promise<unknown> = Promise.resolve()
    const committing = db.transaction((context) => {
      writing = errorOf(() =>
        photoOf(context).write(
          (async function* () {
            yield 'new'
            await isEnded
          })(),
        ),
      )
    })
    expect(await codeThrownBy(() => committing)).toBe('PERSISTENCE_BLOB_UNFINISHED')
    expect(await writing).toMatchObject({ code: 'PERSISTENCE_OUTSIDE_TRANSACTION' })
    end()
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('old')
  })

  test('is not written twice at once', async () => {
    const db = await aDatabase()
    await db.transaction(async (context) => {
      const photo = aPhotoIn(context)
      const first = photo.write(aStream(['hel', 'lo']))
      expect(await codeThrownBy(() => photo.write(Buffer.from('x')))).toBe(
        'PERSISTENCE_BLOB_UNFINISHED',
      )
      await first
    })
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('hello')
  })

  test('when its input fails the transaction goes on, and it has the content that it had', async () => {
    const db = await aDatabase()
    await write(db, 'old')
    const failure = new Error('the client went away')
    await db.transaction(async (context) => {
      const photo = photoOf(context)
      expect(await errorOf(() => photo.write(aStream(['ne'], failure)))).toBe(failure)
      expect(await textOf(photo)).toBe('old')
      context.rootMapping.set('note', new Employee({ title: 'failed' }))
    })
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('old')
    expect(await db.view(({ rootMapping }) => rootMapping.has('note'))).toBe(true)
  })

  test('is not written in a view, nor outside its transaction', async () => {
    const db = await aDatabase()
    await write(db, 'old')
    let photo = new Blob()
    const code = await db.view((context) => {
      photo = photoOf(context)
      return codeThrownBy(() => photo.write(Buffer.from('new')))
    })
    expect(code).toBe('PERSISTENCE_READ_ONLY_TRANSACTION')
    expect(await codeThrownBy(() => photo.write(Buffer.from('new')))).toBe(
      'PERSISTENCE_OUTSIDE_TRANSACTION',
    )
  })

  test('a copy has the content, and both go their ways', async () => {
    const db = await aDatabase()
    await write(db, 'hello')
    await db.transaction(async (context) => {
      const copy = cloneOf(photoOf(context))
      expect(await textOf(copy)).toBe('hello')
      context.rootMapping.set('copy', copy)
    })
    await write(db, 'changed')
    await settled(db, 2)
    await db.view(async (context) => {
      expect(await textOf(photoOf(context))).toBe('changed')
      expect(await textOf(context.rootMapping.get('copy') as Blob)).toBe('hello')
    })
  })

  test('a copy of one that is not committed yet has the content, too', async () => {
    const db = await aDatabase()
    await db.transaction(async (context) => {
      const photo = aPhotoIn(context)
      await photo.write(Buffer.from('hello'))
      context.rootMapping.set('copy', cloneOf(photo))
    })
    await db.view(async (context) => {
      expect(await textOf(photoOf(context))).toBe('hello')
      expect(await textOf(context.rootMapping.get('copy') as Blob)).toBe('hello')
    })
  })

  test('classes may extend it', async () => {
    const db = await aDatabase()
    await db.transaction(async ({ rootMapping }) => {
      const picture = new Picture()
      rootMapping.set('photo', picture)
      picture.caption = 'Bob'
      await picture.write(Buffer.from('hello'))
    })
    db.cacheClear()
    await db.view(async (context) => {
      const picture = photoOf(context) as Picture
      expect([picture.caption, await textOf(picture)]).toEqual(['Bob', 'hello'])
    })
    await db.transaction((context) => {
      ;(photoOf(context) as Picture).caption = 'Anna'
    })
    await db.view(async (context) => {
      const picture = photoOf(context) as Picture
      expect([picture.caption, await textOf(picture)]).toEqual(['Anna', 'hello'])
    })
  })

  test('one that is written again and again in one transaction has the last content', async () => {
    const db = await aDatabase()
    await db.transaction(async (context) => {
      const photo = aPhotoIn(context)
      for (const text of ['one', 'two', 'three']) await photo.write([text])
    })
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('three')
    expect(await namesOf(db)).toHaveLength(1)
  })
})

@stored('spec.Picture')
class Picture extends Blob {
  @field accessor caption = ''
}

async function namesOf(db: ObjectDatabase): Promise<readonly unknown[]> {
  const names: unknown[] = []
  for await (const name of db.storage.blobs.list()) names.push(name)
  return names
}

/** Waits until so many contents are left: what nobody reads any more goes behind the commit. */
async function settled(db: ObjectDatabase, contents: number): Promise<void> {
  const { blobs } = db.storage
  for (let tries = 0; ; tries++) {
    const [left, uncertain] = [await namesOf(db), await blobs.uncertain()]
    if (left.length === contents && uncertain.length === 0) return
    if (tries === 500) throw new Error(`${left.length} contents, ${uncertain.length} uncertain`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

describe('The files of blobs', () => {
  test('there is one for each content, and none once its blob has another', async () => {
    const { db, directory } = await inDirectory()
    await write(db, 'old')
    await write(db, 'new')
    await settled(db, 1)
    const { contents, drafts, uncertain } = blobFilesIn(directory)
    expect([drafts, uncertain]).toEqual([[], []])
    expect(await Promise.all(contents.map((path) => readFile(path, 'utf8')))).toEqual(['new'])
  })

  test('what a power loss may bring back stays until a checkpoint, and no longer', async () => {
    const { db, directory } = await inDirectory({ durability: 'relaxed' })
    await write(db, 'old')
    await write(db, 'new')
    await db.view(() => undefined)
    expect(blobFilesIn(directory).contents).toHaveLength(2)
    await (db.storage as LevelStorage).checkpoint()
    await db.view(() => undefined)
    await settled(db, 1)
    const { contents, uncertain } = blobFilesIn(directory)
    expect(uncertain).toEqual([])
    expect(await Promise.all(contents.map((path) => readFile(path, 'utf8')))).toEqual(['new'])
  })

  test('nothing is made for databases without blobs', async () => {
    const { db, directory } = await inDirectory()
    await db.transaction(({ rootMapping }) => void rootMapping.set('bob', new Employee()))
    await db.pack({ graceMs: 0 })
    expect(existsSync(join(directory, 'blobs'))).toBe(false)
  })

  test('an abort leaves none', async () => {
    const { db, directory } = await inDirectory()
    await errorOf(() =>
      db.transaction(async (context) => {
        await aPhotoIn(context).write(Buffer.from('new'))
        throw new Error('no')
      }),
    )
    expect(blobFilesIn(directory)).toEqual(NOTHING)
  })

  test('a commit that is refused after the vote leaves none', async () => {
    const { db, directory } = await inDirectory()
    await errorOf(() =>
      db.transaction(async (context) => {
        await aPhotoIn(context).write(Buffer.from('new'))
        context.transaction.join({
          sortKey: '~~~',
          abort() {},
          tpcBegin() {},
          commit() {},
          tpcVote() {
            expect(blobFilesIn(directory).contents).toHaveLength(1)
            throw new Error('no')
          },
          tpcFinish() {},
          tpcAbort() {},
        })
      }),
    )
    expect(blobFilesIn(directory)).toEqual(NOTHING)
  })

  test('an input that fails leaves none, while its transaction goes on', async () => {
    const { db, directory } = await inDirectory()
    await db.transaction(async (context) => {
      await errorOf(() => aPhotoIn(context).write(aStream(['a'], new Error('no'))))
      expect(blobFilesIn(directory).drafts).toEqual([])
      await errorOf(() => photoOf(context).write(join(directory, 'not there')))
      expect(blobFilesIn(directory).drafts).toEqual([])
    })
    expect(blobFilesIn(directory)).toEqual(NOTHING)
  })

  test('a rollback leaves none of what was written since', async () => {
    const { db, directory } = await inDirectory()
    await write(db, 'old')
    await db.transaction(async (context) => {
      const savepoint = context.transaction.savepoint()
      await photoOf(context).write(Buffer.from('new'))
      expect(blobFilesIn(directory).drafts).toHaveLength(1)
      savepoint.rollback()
    })
    expect(blobFilesIn(directory).drafts).toEqual([])
    expect(await db.view((context) => textOf(photoOf(context)))).toBe('old')
  })

  test('one that is missing is named, with its object', async () => {
    const { db, directory } = await inDirectory()
    await write(db, 'hello')
    const { rm } = await import('node:fs/promises')
    for (const path of blobFilesIn(directory).contents) await rm(path)
    const error = await db.view((context) => errorOf(() => photoOf(context).createReadStream()))
    expect(error).toMatchObject({ code: 'PERSISTENCE_BLOB_MISSING' })
    expect(error.message).toContain('treehook.Blob')
  })

  test('one that was cut is refused when it is opened', async () => {
    const { db, directory } = await inDirectory()
    await write(db, 'hello')
    for (const path of blobFilesIn(directory).contents) await truncate(path, 3)
    const code = await db.view((context) => codeThrownBy(() => photoOf(context).createReadStream()))
    expect(code).toBe('PERSISTENCE_BLOB_DAMAGED')
  })

  test('one that was changed is refused when it was read to the end', async () => {
    const { db, directory } = await inDirectory()
    await write(db, 'hello')
    for (const path of blobFilesIn(directory).contents) await writeFile(path, 'hallo')
    await db.view(async (context) => {
      const photo = photoOf(context)
      expect(await codeThrownBy(() => buffer(photo.createReadStream()))).toBe(
        'PERSISTENCE_BLOB_DAMAGED',
      )
      expect(await codeThrownBy(() => photo.bytes())).toBe('PERSISTENCE_BLOB_DAMAGED')
    })
  })

  test('a content that is gone since its transaction ended is read in the next', async () => {
    const { db } = await inDirectory()
    await write(db, 'old')
    const photo = await db.view((context) => {
      const found = photoOf(context)
      expect(found.size).toBe(3)
      return found
    })
    await write(db, 'new')
    await settled(db, 1)
    expect(await codeThrownBy(() => photo.bytes())).toBe('PERSISTENCE_STALE_OBJECT')
  })

  test('a database that is opened again has them', async () => {
    const { db, directory } = await inDirectory()
    await write(db, 'hello')
    await db.close()
    const { db: again } = await inDirectory({}, directory)
    expect(await again.view((context) => textOf(photoOf(context)))).toBe('hello')
    await again.close()
    const { db: reader } = await inDirectory({ readOnly: true }, directory)
    expect(await reader.view((context) => textOf(photoOf(context)))).toBe('hello')
  })

  test('a transaction is current where an input is read', async () => {
    const { db } = await inDirectory()
    await db.transaction(async (context) => {
      const seen: unknown[] = []
      await aPhotoIn(context).write(
        (async function* () {
          seen.push(currentTransaction())
          yield 'x'
        })(),
      )
      expect(seen).toEqual([context.transaction])
    })
  })
})
