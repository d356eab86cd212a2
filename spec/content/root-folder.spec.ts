import { afterEach, describe, expect, test } from '@jest/globals'
import {
  currentSite,
  databaseRegistry,
  installRootFolder,
  ROOT_FOLDER_KEY,
  RootFolder,
  registryAt,
  rootFolderOf,
  runInSite,
  Site,
} from '../../lib/content/index.js'
import { ObjectDatabase } from '../../lib/persistence/index.js'
import { createMemoryStorage } from '../../lib/storage/index.js'
import { aMemoryPlace, closeDatabases, Employee } from '../support/content-builders.js'

afterEach(closeDatabases)

describe('The root folder', () => {
  test('is installed once, under its key in the root mapping', async () => {
    const db = await ObjectDatabase.open('', { storage: createMemoryStorage() })
    await db.transaction(({ rootMapping, connection }) => {
      installRootFolder(rootMapping)
      const root = rootFolderOf(connection)
      expect(root).toBeInstanceOf(RootFolder)
      root.set('Bob', new Employee())
    })
    const { lastTid } = db
    await db.transaction(({ rootMapping, connection }) => {
      installRootFolder(rootMapping)
      expect([...rootFolderOf(connection).keys()]).toEqual(['Bob'])
      expect(rootMapping.get(ROOT_FOLDER_KEY)).toBe(rootFolderOf(connection))
    })
    expect(db.lastTid).toBe(lastTid)
    await db.close()
  })

  test('is in the database at once, with what is put into it', async () => {
    const db = await ObjectDatabase.open('', { storage: createMemoryStorage() })
    await db.transaction(({ rootMapping, connection }) => {
      installRootFolder(rootMapping)
      const root = rootFolderOf(connection)
      expect(registryAt(root)).toBe(databaseRegistry(db))
      const site = root.set('site', new Site())
      expect(runInSite(site, currentSite)).toBe(site)
    })
    await db.view(({ connection }) => expect(rootFolderOf(connection).has('site')).toBe(true))
    await db.close()
  })

  test('is the same one after reopening', async () => {
    const open = aMemoryPlace()
    const before = await open()
    await before.transaction(({ root }) => void root.set('Bob', new Employee()))
    await before.close()
    await (await open()).view(({ root }) => expect([...root.keys()]).toEqual(['Bob']))
  })
})
