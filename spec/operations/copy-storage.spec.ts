import { afterEach, describe, expect, test } from '@jest/globals'
import { type CopyProgress, copyStorage } from '../../lib/operations/index.js'
import { createDirectoryStorage, type Storage } from '../../lib/storage/index.js'
import {
  aStorage,
  commitTo,
  contentsOf,
  forgetCommits,
  headOf,
} from '../support/backup-builders.js'
import { codeThrownBy, TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

const OFFICE = { classId: 2, name: 'offices.Office', fields: ['city'] }

async function transactionsOf(storage: Storage): Promise<unknown[]> {
  const rows: unknown[] = []
  for await (const row of storage.transactions()) rows.push(row)
  return rows
}

describe('A copy', () => {
  test('is what the source is: objects, tids, classes, id', async () => {
    const source = await aStorage()
    await commitTo(source, [0, 1, 2])
    await commitTo(source, [1, 3], { removed: [2], classes: [OFFICE] })
    const target = await aStorage()
    expect(await copyStorage(source, target)).toMatchObject({ tid: 2, objects: 3, commits: 0 })
    expect(headOf(target)).toEqual(headOf(source))
    expect(await contentsOf(target)).toEqual(await contentsOf(source))
  })

  test('has the history, with users, descriptions and classes in their commits', async () => {
    const source = await aStorage({ history: 'all' })
    await commitTo(source, [0, 1, 2])
    await commitTo(source, [1, 3], { removed: [2] })
    await commitTo(source, [1], { classes: [OFFICE] })
    const target = await aStorage({ history: 'all' })
    expect(await copyStorage(source, target)).toMatchObject({ tid: 3, commits: 3 })
    expect(await transactionsOf(target)).toEqual(await transactionsOf(source))
    for (const tid of [0, 1, 2, 3]) {
      expect(await contentsOf(target, tid)).toEqual(await contentsOf(source, tid))
    }
    const again = await aStorage()
    await copyStorage(target, again)
    expect(again.classes).toEqual(source.classes)
  })

  test('begins with the oldest commit that the source can be read at', async () => {
    const source = await aStorage({ history: 'all' })
    for (let tid = 1; tid < 9; tid++) {
      await commitTo(source, [0, tid], tid === 6 ? { classes: [OFFICE] } : {})
    }
    await source.pruneHistory({ before: 4 as never })
    const target = await aStorage({ history: 'all' })
    await copyStorage(source, target)
    expect(headOf(target)).toEqual(headOf(source))
    expect(await contentsOf(target, 5)).toEqual(await contentsOf(source, 5))
  })

  test('of nothing is nothing, with the id', async () => {
    const [source, target] = [await aStorage(), await aStorage()]
    await copyStorage(source, target)
    expect(headOf(target)).toEqual(headOf(source))
    await commitTo(target, [0])
    expect(target.lastTid).toBe(1)
  })

  test('goes into a directory, survives closing, and takes commits', async () => {
    const source = await aStorage()
    await commitTo(source, [0, 1])
    const location = await directories.create()
    const open = async (): Promise<Storage> => {
      const storage = createDirectoryStorage(location)
      await storage.open()
      return storage
    }
    let target = await open()
    await copyStorage(source, target)
    await target.close()
    target = await open()
    expect(headOf(target)).toEqual(headOf(source))
    await commitTo(target, [1, 2])
    expect(target.highestOid).toBe(2)
    await target.close()
  })
})

describe('An earlier copy', () => {
  test('is continued with the commits since', async () => {
    const source = await aStorage()
    const target = await aStorage()
    await commitTo(source, [0, 1])
    await copyStorage(source, target)
    await commitTo(source, [1], { classes: [OFFICE] })
    await commitTo(source, [2])
    expect(await copyStorage(source, target)).toMatchObject({ tid: 3, objects: 0, commits: 2 })
    expect(await copyStorage(source, target)).toMatchObject({ tid: 3, objects: 0, commits: 0 })
    expect(headOf(target)).toEqual(headOf(source))
    expect(await contentsOf(target)).toEqual(await contentsOf(source))
  })

  test('is refused when it has commits of its own, or is another database', async () => {
    const source = await aStorage()
    const target = await aStorage()
    await commitTo(source, [0])
    await copyStorage(source, target)
    await commitTo(target, [1])
    const refused = () => codeThrownBy(() => copyStorage(source, target))
    expect(await refused()).toBe('OPERATIONS_OTHER_DATABASE')
    const other = await aStorage()
    await commitTo(other, [0])
    expect(await codeThrownBy(() => copyStorage(source, other))).toBe('OPERATIONS_OTHER_DATABASE')
  })

  test('is refused when the source has forgotten the commits since', async () => {
    const source = await aStorage({ forgets: true })
    const target = await aStorage()
    await commitTo(source, [0])
    await copyStorage(source, target)
    await forgetCommits(source)
    expect(await codeThrownBy(() => copyStorage(source, target))).toBe(
      'STORAGE_HISTORY_UNAVAILABLE',
    )
  })
})

describe('While a copy is made', () => {
  const many = Array.from({ length: 20_000 }, (_, oid) => oid)

  test('commits to the source go on', async () => {
    const source = await aStorage()
    await commitTo(source, many)
    await source.checkpoint()
    const target = await aStorage()
    const copying = copyStorage(source, target)
    await commitTo(source, [3])
    await source.checkpoint()
    expect(await copying).toMatchObject({ tid: 1, objects: 20_000 })
    await copyStorage(source, target)
    expect(await contentsOf(target)).toEqual(await contentsOf(source))
  })

  test('it can be ended: what was filled in part takes nothing more', async () => {
    const source = await aStorage()
    await commitTo(source, many)
    await source.checkpoint()
    const target = await aStorage()
    const abort = new AbortController()
    const told: CopyProgress[] = []
    const onProgress = (progress: CopyProgress): void => {
      told.push(progress)
      abort.abort(new Error('enough'))
    }
    const ended = () => copyStorage(source, target, { signal: abort.signal, onProgress })
    expect(await codeThrownBy(ended)).toBe('Error: enough')
    expect(told).toHaveLength(1)
    expect(await codeThrownBy(() => commitTo(target, [0]))).toBe('STORAGE_CLOSED')
  })
})
