import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { outsideAllScopes } from '../../lib/foundation/index.js'
import {
  cloneOf,
  DatabaseGroup,
  exportSubtree,
  type ObjectDatabase,
  oidOf,
  referencesOf,
  WeakReference,
} from '../../lib/persistence/index.js'
import { aDatabase, bobOf, Employee } from '../support/persistence-builders.js'
import { codeThrownBy, errorOf } from '../support/storage-builders.js'
import { WrappedStorage } from '../support/wrapped-storage.js'

let main: ObjectDatabase
let archive: ObjectDatabase
let archiveStorage: WrappedStorage
let databases: DatabaseGroup

beforeEach(async () => {
  archiveStorage = new WrappedStorage()
  main = await aDatabase()
  archive = await aDatabase({ storage: archiveStorage })
  databases = new DatabaseGroup()
  databases.add('main', main)
  databases.add('archive', archive)
})

afterEach(async () => {
  await main.close()
  await archive.close()
})

/** Anna in the archive, and Bob in main, who refers to her. */
async function bobAndAnna(): Promise<void> {
  await main.transaction(({ connection, rootMapping }) => {
    const other = connection.getConnection('archive')
    const anna = new Employee({ title: 'Anna' })
    other.rootMapping.set('anna', anna)
    other.add(anna)
    rootMapping.set('bob', new Employee({ title: 'Bob', boss: anna, data: { in: [anna] } }))
    rootMapping.set('the boss', anna)
  })
}

describe('A group', () => {
  test('knows its databases by name', () => {
    expect(databases.names).toEqual(['main', 'archive'])
    expect(databases.get('archive')).toBe(archive)
  })

  test('has each name, and each database, once', async () => {
    const other = await aDatabase()
    const twice = [
      () => databases.add('main', other),
      () => databases.add('again', main),
      () => new DatabaseGroup().add('main', main),
    ]
    for (const add of twice) expect(await codeThrownBy(add)).toBe('PERSISTENCE_DUPLICATE_DATABASE')
    expect(await codeThrownBy(() => databases.get('other'))).toBe('PERSISTENCE_UNKNOWN_DATABASE')
    await other.close()
  })

  test('takes a database again that was closed and opened', async () => {
    await archive.close()
    archive = await aDatabase()
    databases.add('archive', archive)
    expect(databases.get('archive')).toBe(archive)
  })
})

describe('A transaction over two databases', () => {
  test('commits both', async () => {
    await bobAndAnna()
    await archive.view(({ rootMapping }) => {
      expect((rootMapping.get('anna') as Employee).title).toBe('Anna')
    })
    await main.view((context) => expect(bobOf(context).title).toBe('Bob'))
  })

  test('aborts both', async () => {
    const fail = () =>
      main.transaction(({ connection, rootMapping }) => {
        rootMapping.set('bob', new Employee())
        connection.getConnection('archive').rootMapping.set('anna', new Employee())
        throw new Error('enough')
      })
    expect(await codeThrownBy(fail)).toBe('Error: enough')
    for (const db of [main, archive]) {
      await db.view(({ rootMapping }) => expect(rootMapping.size).toBe(0))
    }
  })

  test('writes neither when one of them votes against it, and is tried again', async () => {
    await bobAndAnna()
    let tries = 0
    const mainBefore = main.lastTid
    await main.transaction(async (context) => {
      const anna = bobOf(context).boss as Employee
      bobOf(context).title = `number ${++tries}`
      anna.title = `${anna.title}!`
      if (tries > 1) return
      await outsideAllScopes(() =>
        archive.transaction(({ rootMapping }) => {
          ;(rootMapping.get('anna') as Employee).title = 'Eve'
        }),
      )
    })
    expect([tries, main.lastTid]).toEqual([2, mainBefore + 1])
    await main.view((context) => {
      expect([bobOf(context).title, bobOf(context).boss?.title]).toEqual(['number 2', 'Eve!'])
    })
  })

  test('says so when the second write fails', async () => {
    archiveStorage.beforeWrite = () => {
      throw new Error('the disk is gone')
    }
    expect(await codeThrownBy(bobAndAnna)).toMatch(/the disk is gone|STORAGE/)
    expect(archive.isOpen).toBe(false)
  })

  test('many of them, from both sides, wait for one another and all end', async () => {
    await bobAndAnna()
    const count = async (from: ObjectDatabase): Promise<void> => {
      await from.transaction(
        ({ connection }) => {
          for (const name of ['main', 'archive']) {
            const root = connection.getConnection(name).rootMapping
            const entry = root.get('counter') as Employee | undefined
            if (entry === undefined) root.set('counter', new Employee({ data: 1 }))
            else entry.data = (entry.data as number) + 1
          }
        },
        { tries: 100 },
      )
    }
    await Promise.all(Array.from({ length: 12 }, (_, n) => count(n % 2 === 0 ? main : archive)))
    for (const db of [main, archive]) {
      await db.view(({ rootMapping }) => {
        expect((rootMapping.get('counter') as Employee).data).toBe(12)
      })
    }
  })

  test('has savepoints over both', async () => {
    await main.transaction(({ connection, rootMapping, transaction }) => {
      const other = connection.getConnection('archive').rootMapping
      rootMapping.set('a', new Employee())
      other.set('a', new Employee())
      const savepoint = transaction.savepoint()
      rootMapping.set('b', new Employee())
      other.set('b', new Employee())
      savepoint.rollback()
    })
    for (const db of [main, archive]) {
      await db.view(({ rootMapping }) => expect([...rootMapping.keys()]).toEqual(['a']))
    }
  })
})

describe('A reference to an object of another database', () => {
  test('leads to it: from a field, from nested values, from a tree', async () => {
    await bobAndAnna()
    main.cacheClear()
    await main.view((context) => {
      const bob = bobOf(context)
      const anna = context.connection.getConnection('archive').rootMapping.get('anna')
      expect(bob.boss).toBe(anna)
      expect((bob.data as { in: unknown[] }).in[0]).toBe(anna)
      expect(context.rootMapping.get('the boss')).toBe(anna)
      expect([...context.rootMapping.values()]).toEqual([bob, anna])
    })
  })

  test('is kept when the object that holds it is written again, and by its copies', async () => {
    await bobAndAnna()
    await main.transaction((context) => {
      const bob = bobOf(context)
      bob.title = 'Robert'
      ;(bob.data as { in: unknown[] }).in.push(1)
      context.rootMapping.set('copy', cloneOf(bob))
    })
    main.cacheClear()
    await main.view(({ rootMapping }) => {
      for (const name of ['bob', 'copy']) {
        const employee = rootMapping.get(name) as Employee
        expect([employee.title, employee.boss?.title]).toEqual(['Robert', 'Anna'])
      }
    })
  })

  test('is not followed by what looks for references of the same database', async () => {
    await bobAndAnna()
    const oid = await main.view((context) => oidOf(bobOf(context)))
    const snapshot = main.storage.snapshot()
    const record = snapshot.load(oid as NonNullable<typeof oid>)
    snapshot.close()
    expect(referencesOf(record?.state as Uint8Array)).toEqual({ strong: [], weak: [] })
  })

  test('keeps nothing there: a pack must be told', async () => {
    await bobAndAnna()
    const anna = await archive.view(({ rootMapping }) => oidOf(rootMapping.get('anna') as Employee))
    await archive.transaction(({ rootMapping }) => void rootMapping.delete('anna'))
    await archive.pack({ graceMs: 0, keep: [anna as NonNullable<typeof anna>] })
    await main.view((context) => expect(bobOf(context).boss?.title).toBe('Anna'))
    await archive.pack({ graceMs: 0 })
    main.cacheClear()
    const read = () => main.view((context) => bobOf(context).boss?.title)
    const error = await errorOf(read)
    expect(error).toMatchObject({ code: 'PERSISTENCE_DANGLING_REFERENCE' })
    expect(error.message).toContain('archive')
  })

  test('is refused where that database was added without them', async () => {
    const strict = await aDatabase()
    databases.add('strict', strict, { crossReferences: false })
    const store = () =>
      main.transaction(({ connection, rootMapping }) => {
        const anna = new Employee()
        rootMapping.set('anna', anna)
        connection.add(anna)
        connection.getConnection('strict').rootMapping.set('anna', anna)
      })
    expect(await codeThrownBy(store)).toBe('PERSISTENCE_FOREIGN_OBJECT')
    expect(strict.lastTid).toBe(1)
    await strict.close()
  })

  test('is refused to a new object that both lead to, until one is given it', async () => {
    const store = (add: boolean, savepoint: boolean) =>
      main.transaction(({ connection, rootMapping, transaction }) => {
        const other = connection.getConnection('archive')
        const anna = new Employee({ title: 'Anna' })
        rootMapping.set('anna', anna)
        if (savepoint) transaction.savepoint()
        other.rootMapping.set('anna', anna)
        if (add) other.add(anna)
      })
    expect(await codeThrownBy(() => store(false, false))).toBe('PERSISTENCE_FOREIGN_OBJECT')
    expect(await codeThrownBy(() => store(false, true))).toBe('PERSISTENCE_FOREIGN_OBJECT')
    await store(true, false)
    await archive.view(({ rootMapping }) => {
      expect((rootMapping.get('anna') as Employee).title).toBe('Anna')
    })
  })

  test('is strong: a weak one is refused', async () => {
    await bobAndAnna()
    const store = () =>
      main.transaction((context) => {
        const anna = bobOf(context).boss as Employee
        bobOf(context).data = new WeakReference(anna)
      })
    const error = await errorOf(store)
    expect(error).toMatchObject({ code: 'PERSISTENCE_FOREIGN_OBJECT' })
    expect(error.message).toContain('archive')
  })

  test('is refused outside of the same transaction', async () => {
    await bobAndAnna()
    const anna = await archive.view(({ rootMapping }) => rootMapping.get('anna') as Employee)
    const store = () =>
      main.transaction((context) => {
        bobOf(context).boss = anna
      })
    expect(await codeThrownBy(store)).toBe('PERSISTENCE_FOREIGN_OBJECT')
  })

  test('is in no export', async () => {
    await bobAndAnna()
    const write = () =>
      main.view((context) => exportSubtree(bobOf(context), new PassThrough().resume()))
    expect(await codeThrownBy(write)).toBe('PERSISTENCE_FOREIGN_OBJECT')
  })
})
