import { readFile, realpath, symlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createDirectoryStorage, type LevelStorage } from '../../lib/storage/index.js'
import { newOwner, OWNER_FILE, type Owner } from '../../lib/storage/owner-file.js'
import { codeThrownBy, errorOf, TemporaryDirectories } from '../support/storage-builders.js'
import { openElsewhere, openInThread, StorageProcess } from '../support/storage-process.js'

const directories = new TemporaryDirectories()
let directory = ''
let storage: LevelStorage

beforeEach(async () => {
  directory = await directories.create()
  storage = createDirectoryStorage(directory)
})
afterEach(async () => {
  await storage.close()
  await directories.removeAll()
})

const openAgain = (path = directory): Promise<void> => createDirectoryStorage(path).open()

const writeOwner = async (change: Partial<Owner>): Promise<void> =>
  writeFile(join(directory, OWNER_FILE), JSON.stringify({ ...(await newOwner()), ...change }))

describe('A directory that is open', () => {
  test('is refused to this process, also by another name', async () => {
    await storage.open()
    const link = join(await directories.create(), 'link')
    await symlink(directory, link)
    expect(await codeThrownBy(() => openAgain(link))).toBe('STORAGE_LOCKED')
    const error = await errorOf(() => openAgain())
    expect(error.message).toMatch(
      new RegExp(`in use by this process \\(pid ${process.pid}\\) since 2`),
    )
  })

  test('is refused to one of two opens at the same time', async () => {
    const opens = [storage.open(), openAgain()]
    const codes = await Promise.all(opens.map((open) => codeThrownBy(() => open)))
    expect(codes.sort()).toEqual(['STORAGE_LOCKED', 'nothing'])
  })

  test('is refused to another process, also after a second open in this one', async () => {
    await storage.open()
    expect(await codeThrownBy(() => openAgain())).toBe('STORAGE_LOCKED')
    expect(await openElsewhere(directory, 'tryLevel')).toBe('LEVEL_LOCKED')
    expect(await openElsewhere(directory)).toBe('STORAGE_LOCKED')
    await storage.close()
    expect(await openElsewhere(directory)).toBe('open')
  })

  test('is refused to another thread, which does not cost it its lock', async () => {
    await storage.open()
    expect(await openInThread(directory)).toBe('STORAGE_LOCKED')
    expect(await openElsewhere(directory, 'tryLevel')).toBe('LEVEL_LOCKED')
  })

  test('is refused to a copy of this module in one process', async () => {
    await storage.open()
    const shared = (globalThis as Record<symbol, unknown>)[Symbol.for('treehook.openedDirectories')]
    expect([...(shared as Map<string, string>).keys()]).toContain(await realpath(directory))
  })

  test('says who holds it', async () => {
    const holder = new StorageProcess('hold', directory)
    expect(await holder.nextLine()).toBe('open')
    const error = await errorOf(() => storage.open())
    await holder.kill()
    expect(error).toMatchObject({ code: 'STORAGE_LOCKED', details: { pid: holder.pid } })
    expect(error.message).toContain(`(pid ${holder.pid} on ${hostname()}) since 20`)
  })

  test('is free again when its holder was killed', async () => {
    const holder = new StorageProcess('hold', directory)
    expect(await holder.nextLine()).toBe('open')
    await holder.kill()
    expect(await readFile(join(directory, OWNER_FILE), 'utf8')).toContain(`"pid":${holder.pid}`)
    await storage.open()
    expect(await readFile(join(directory, OWNER_FILE), 'utf8')).toContain(`"pid":${process.pid}`)
  })

  test('loses no acknowledged commit when its writer is killed', async () => {
    const writer = new StorageProcess('write', directory)
    let acknowledged = 0
    for (let lines = 0; lines < 50; lines++) acknowledged = Number(await writer.nextLine())
    await writer.kill()
    await storage.open()
    expect(storage.lastTid).toBeGreaterThanOrEqual(acknowledged)
    expect(acknowledged).toBe(50)
  })
})

describe('An owner file', () => {
  const onLinux = process.platform === 'linux' ? test : test.skip

  onLinux('of another thread of this process locks', async () => {
    await writeOwner({})
    const error = await errorOf(() => storage.open())
    expect(error).toMatchObject({ code: 'STORAGE_LOCKED' })
    expect(error.message).toMatch(/another thread/)
  })

  onLinux('of an earlier process with a pid that runs again does not', async () => {
    await writeOwner({ processStart: 'an earlier boot/1' })
    expect(await codeThrownBy(() => storage.open())).toBe('nothing')
  })

  test.each([
    ['of another host', { host: 'elsewhere' }],
    ['of a pid that does not run', { pid: 2 ** 22 + 1 }],
  ])('%s leaves the word to LevelDB', async (_, change) => {
    await writeOwner({ token: 'theirs', ...change })
    await storage.open()
    const owner = JSON.parse(await readFile(join(directory, OWNER_FILE), 'utf8')) as Owner
    expect(owner).toMatchObject({ pid: process.pid, host: hostname() })
    expect(owner.token).not.toBe('theirs')
  })

  test('of another host stays when LevelDB says the directory is in use', async () => {
    const holder = new StorageProcess('hold', directory)
    expect(await holder.nextLine()).toBe('open')
    await writeOwner({ host: 'elsewhere' })
    const error = await errorOf(() => storage.open())
    const owner = await readFile(join(directory, OWNER_FILE), 'utf8')
    await holder.kill()
    expect(error).toMatchObject({ code: 'STORAGE_LOCKED', details: { host: 'elsewhere' } })
    expect(owner).toContain('elsewhere')
  })

  test('that holds something else leaves the word to LevelDB', async () => {
    await writeFile(join(directory, OWNER_FILE), '{"pid":')
    expect(await codeThrownBy(() => storage.open())).toBe('nothing')
  })
})
