import { appendFile, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { BackupDirectory } from '../../lib/operations/backup-directory.js'
import { backup, type CopyProgress, restore, verifyBackup } from '../../lib/operations/index.js'
import { createDirectoryStorage, type Storage } from '../../lib/storage/index.js'
import {
  aStorage,
  commitTo,
  contentsOf,
  forgetCommits,
  headOf,
} from '../support/backup-builders.js'
import { aDatabase, Employee } from '../support/persistence-builders.js'
import { codeThrownBy, TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

let place: string
beforeEach(async () => {
  place = join(await directories.create(), 'backups')
})

const filesOf = async (name: string): Promise<string[]> => (await readdir(join(place, name))).sort()

async function restored(storage?: Storage): Promise<Storage> {
  const target = storage ?? (await aStorage())
  await restore(place, target)
  return target
}

describe('The first backup', () => {
  test('is full, and has every record of the newest commit', async () => {
    const source = await aStorage()
    await commitTo(source, [0, 1, 2])
    await commitTo(source, [1], { removed: [2] })
    const report = await backup(source, place)
    expect(report).toMatchObject({ kind: 'full', number: 1, tid: 2, objects: 2, commits: 0 })
    expect(await readdir(place)).toEqual(['000001-full'])
    expect(await filesOf('000001-full')).toEqual(['manifest.json', 'records'])
    expect(await contentsOf(await restored())).toEqual(await contentsOf(source))
  })

  test('of a database with history has the history', async () => {
    const source = await aStorage({ history: 'all' })
    for (let tid = 1; tid < 5; tid++) await commitTo(source, [0, tid])
    await source.pruneHistory({ before: 2 as never })
    expect(await backup(source, place)).toMatchObject({ kind: 'full', objects: 3, commits: 2 })
    const target = await restored(await aStorage({ history: 'all' }))
    expect(headOf(target)).toEqual(headOf(source))
    for (const tid of [2, 3, 4]) {
      expect(await contentsOf(target, tid)).toEqual(await contentsOf(source, tid))
    }
  })

  test('of nothing is refused', async () => {
    expect(await codeThrownBy(async () => backup(await aStorage(), place))).toBe(
      'OPERATIONS_NO_BACKUP',
    )
    expect(await readdir(place)).toEqual([])
  })
})

describe('A further backup', () => {
  test('has the commits since the one before', async () => {
    const source = await aStorage()
    await commitTo(source, [0, 1, 2])
    await backup(source, place)
    await commitTo(source, [1], { removed: [2] })
    await commitTo(source, [5])
    const report = await backup(source, place)
    expect(report).toMatchObject({ kind: 'incremental', number: 2, tid: 3, objects: 0, commits: 2 })
    expect(await filesOf('000002-incremental')).toEqual(['commits', 'manifest.json'])
    expect(await contentsOf(await restored())).toEqual(await contentsOf(source))
  })

  test('has what changed, where the commits are gone, and knows what was removed', async () => {
    const source = await aStorage({ forgets: true })
    await commitTo(source, [0, 1, 2, 3, 700, 701])
    await backup(source, place)
    await commitTo(source, [4], { removed: [1, 701] })
    await forgetCommits(source)
    const report = await backup(source, place)
    expect(report).toMatchObject({ kind: 'incremental', objects: 2, commits: 0 })
    expect(await filesOf('000002-incremental')).toEqual(['live', 'manifest.json', 'records'])
    const target = await restored()
    expect(await contentsOf(target)).toEqual(await contentsOf(source))
    expect(headOf(target)).toEqual(headOf(source))
    expect(await verifyBackup(place)).toMatchObject({ ok: true, backups: 2 })
  })

  test('is not made when nothing was committed', async () => {
    const source = await aStorage()
    await commitTo(source, [0])
    await backup(source, place)
    expect(await backup(source, place)).toMatchObject({ kind: 'unchanged', number: 1, tid: 1 })
    expect(await readdir(place)).toEqual(['000001-full'])
  })

  test('is full when that is asked for', async () => {
    const source = await aStorage()
    await commitTo(source, [0])
    await backup(source, place)
    await backup(source, place, { full: true })
    expect(await readdir(place)).toEqual(['000001-full', '000002-full'])
    await rm(join(place, '000001-full'), { recursive: true })
    expect(await contentsOf(await restored())).toEqual(await contentsOf(source))
    await commitTo(source, [1])
    expect(await backup(source, place)).toMatchObject({ kind: 'incremental', number: 3 })
  })

  test('is refused beside those of another database', async () => {
    const [source, other] = [await aStorage(), await aStorage()]
    await commitTo(source, [0])
    await commitTo(other, [0])
    await backup(source, place)
    for (const full of [false, true]) {
      const code = await codeThrownBy(() => backup(other, place, { full }))
      expect(code).toBe('OPERATIONS_OTHER_DATABASE')
    }
  })

  test('is refused when the database went back behind the one before', async () => {
    const source = await aStorage()
    await commitTo(source, [0])
    await backup(source, place)
    const earlier = await restored()
    await commitTo(source, [1])
    await backup(source, place)
    expect(await codeThrownBy(() => backup(earlier, place))).toBe('OPERATIONS_OTHER_DATABASE')
    expect(await backup(earlier, place, { full: true })).toMatchObject({ kind: 'full', number: 3 })
  })

  test('begins anew where the newest manifest is damaged, when asked to', async () => {
    const source = await aStorage()
    await commitTo(source, [0])
    await backup(source, place)
    await commitTo(source, [0])
    await rm(join(place, '000001-full', 'manifest.json'))
    expect(await codeThrownBy(() => backup(source, place))).toBe('OPERATIONS_DAMAGED_BACKUP')
    expect(await backup(source, place, { full: true })).toMatchObject({ number: 2 })
  })
})

describe('While a backup is made', () => {
  test('commits go on, and are not in it', async () => {
    const source = await aStorage()
    await commitTo(
      source,
      Array.from({ length: 50_000 }, (_, oid) => oid),
    )
    const before = await contentsOf(source)
    const goOn = async (): Promise<void> => {
      for (let tid = 2; tid < 20; tid++) {
        await commitTo(source, [tid])
        await source.checkpoint()
      }
    }
    let goingOn: Promise<void> | undefined
    const onProgress = (): void => {
      goingOn ??= goOn()
    }
    expect(await backup(source, place, { onProgress })).toMatchObject({ tid: 1, objects: 50_000 })
    await goingOn
    expect(source.lastTid).toBe(19)
    expect(await contentsOf(await restored())).toEqual(before)
  })

  test('progress is told, and it can be ended: nothing is left', async () => {
    const source = await aStorage()
    await commitTo(
      source,
      Array.from({ length: 50_000 }, (_, oid) => oid),
    )
    const abort = new AbortController()
    const told: CopyProgress[] = []
    const onProgress = (progress: CopyProgress): void => {
      told.push(progress)
      abort.abort(new Error('enough'))
    }
    const { signal } = abort
    const code = await codeThrownBy(() => backup(source, place, { signal, onProgress }))
    expect([code, told.length]).toEqual(['Error: enough', 1])
    expect(told[0]).toMatchObject({ commits: 0 })
    expect(await readdir(place)).toEqual([])
  })

  test('no second one can be made in the same directory', async () => {
    const source = await aStorage()
    await commitTo(source, [0])
    const inUse = await BackupDirectory.acquire(place)
    expect(await codeThrownBy(() => backup(source, place))).toBe('STORAGE_LOCKED')
    await inUse.release()
    expect((await backup(source, place)).kind).toBe('full')
  })

  test('the database can be closed, which ends it', async () => {
    const source = await aStorage()
    await commitTo(
      source,
      Array.from({ length: 50_000 }, (_, oid) => oid),
    )
    await source.checkpoint()
    let closing: Promise<void> | undefined
    const onProgress = (): void => {
      closing ??= source.close()
    }
    expect(await codeThrownBy(() => backup(source, place, { onProgress }))).toBe('STORAGE_CLOSED')
    await closing
    expect(await readdir(place)).toEqual([])
  })
})

describe('What a killed backup left', () => {
  test('is not taken for one, and goes with the next', async () => {
    const source = await aStorage()
    await commitTo(source, [0])
    await backup(source, place)
    await mkdir(join(place, 'partial'))
    await appendFile(join(place, 'partial', 'records'), 'half of it')
    await commitTo(source, [1])
    expect(await verifyBackup(place)).toMatchObject({ ok: true, backups: 1 })
    expect(await backup(source, place)).toMatchObject({ kind: 'incremental', number: 2 })
    expect((await readdir(place)).sort()).toEqual(['000001-full', '000002-incremental'])
  })
})

describe('A database of objects', () => {
  test('is backed up beside its transactions, and opens from the backup as it was', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      for (let n = 0; n < 200; n++) rootMapping.set(`e${n}`, new Employee({ title: `number ${n}` }))
    })
    await backup(db, place)
    await db.transaction(({ rootMapping }) => {
      rootMapping.delete('e7')
      rootMapping.set('bob', new Employee({ title: 'Bob', phones: ['555'] }))
    })
    await backup(db, place)
    await db.close()
    const target = join(place, '..', 'restored')
    await restore(place, target)
    const copy = await aDatabase({ storage: createDirectoryStorage(target) })
    await copy.view(({ rootMapping }) => {
      expect(rootMapping.size).toBe(200)
      expect((rootMapping.get('bob') as Employee).phones).toEqual(['555'])
    })
    await copy.transaction(({ rootMapping }) => void rootMapping.set('eve', new Employee()))
    await copy.close()
  })
})
