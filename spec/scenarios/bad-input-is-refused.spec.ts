import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { ClassicLevel } from 'classic-level'
import {
  backup,
  Contained,
  copyStorage,
  createDirectoryStorage,
  Database,
  definePersistent,
  exportSubtree,
  Folder,
  field,
  IObjectModifiedEvent,
  importObject,
  oidOf,
  Persistent,
  restore,
  Site,
  stored,
  subscribeToResource,
  TreehookError,
  traverse,
  verify,
  verifyBackup,
} from 'treehook'

@stored('bad-input.Note')
class Note extends Contained {
  @field accessor text: unknown = 'first'
}

/** An error as its user sees it. */
async function refusal(work: () => unknown): Promise<{ code: string; message: string }> {
  try {
    await work()
  } catch (error) {
    if (error instanceof TreehookError) return { code: error.code, message: error.message }
    throw error
  }
  throw new Error('It was accepted')
}

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'treehook-bad-input-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** A database with a note at /notes/one. */
async function aDatabase(): Promise<Database> {
  const db = await Database.open(directory)
  await db.transaction(({ root }) => {
    root.set('notes', new Folder()).set('one', new Note())
  })
  return db
}

async function textOf(db: Database): Promise<unknown> {
  return db.view(({ root }) => traverse(root, '/notes/one', Note).text)
}

describe('A directory that cannot be opened', () => {
  test('in use: says so, and its user goes on', async () => {
    await using db = await aDatabase()
    const { code, message } = await refusal(() => Database.open(directory))
    expect(code).toBe('STORAGE_LOCKED')
    expect(message).toContain(directory)
    expect(await textOf(db)).toBe('first')
  })

  test('a file in its place: says so, and the file is as it was', async () => {
    const file = join(directory, 'file')
    await writeFile(file, 'mine')
    expect((await refusal(() => Database.open(file))).code).toBe('STORAGE_NOT_A_DIRECTORY')
  })

  test('not writable: says so', async () => {
    // Part of the kernel's own file system: not even root can write there.
    const place = process.platform === 'linux' ? '/proc/treehook' : '/dev/null/treehook'
    const { code, message } = await refusal(() => Database.open(place))
    expect(['STORAGE_NOT_WRITABLE', 'STORAGE_NOT_A_DIRECTORY']).toContain(code)
    expect(message).toContain(place)
  })

  test('of a newer format version: says so, and stays as it is', async () => {
    await (await aDatabase()).close()
    const level = new ClassicLevel<Buffer, Buffer>(directory, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
    })
    const rows = await level.iterator().all()
    const [key, value] = rows.find(([, row]) => row.subarray(0, 8).toString() === 'treehook') ?? []
    const newer = Buffer.from(value as Buffer)
    newer.writeUInt32BE(99, 8)
    const { crc32 } = await import('node:zlib')
    newer.writeUInt32BE(crc32(newer.subarray(0, 28)), 28)
    await level.put(key as Buffer, newer)
    await level.close()
    const { code, message } = await refusal(() => Database.open(directory))
    expect(code).toBe('STORAGE_UNKNOWN_FORMAT')
    expect(message).toContain('99')
  })
})

describe('An option that there is not, or that has a value which it cannot have', () => {
  test.each([
    [{ durability: 'Sync' }, 'PERSISTENCE_INVALID_OPTION', 'durability'],
    [{ durabilty: 'sync' }, 'PERSISTENCE_INVALID_OPTION', 'durabilty'],
    [{ cacheBytes: -1 }, 'PERSISTENCE_INVALID_OPTION', 'cacheBytes'],
    [{ level: { compresion: true } }, 'STORAGE_INVALID_OPTION', 'compresion'],
    [{ history: 'some' }, 'STORAGE_INVALID_OPTION', 'history'],
    [{ webhooks: { dispatch: 'recomended' } }, 'WEBHOOK_INVALID_SETTING', 'dispatch'],
    [{ webhooks: { dispach: 'recommended' } }, 'WEBHOOK_INVALID_SETTING', 'dispach'],
    [{ evolve: { mode: 'evlove' } }, 'CONTENT_INVALID_SCHEMA', 'mode'],
  ])(
    'at the opening: %j is refused by its name, and nothing is left open',
    async (options, code, name) => {
      const refused = await refusal(() => Database.open(directory, options as never))
      expect(refused.code).toBe(code)
      expect(refused.message).toContain(name)
      await (await aDatabase()).close()
    },
  )

  test('of what takes long: refused before anything is done', async () => {
    await using db = await aDatabase()
    const backups = join(directory, 'backups')
    const lines = join(directory, 'lines')
    const misspelt = { onProgres: () => undefined } as never
    for (const work of [
      () => db.pack(misspelt),
      () => backup(db, backups, misspelt),
      () => verify(db, misspelt),
      () => verifyBackup(backups, misspelt),
      () => restore(backups, join(directory, 'restored'), misspelt),
      () => copyStorage(db, createDirectoryStorage(join(directory, 'copy')), misspelt),
      () => db.view(({ root }) => exportSubtree(root, lines, misspelt)),
      () => importObject(db, lines, misspelt),
      () => db.changes(misspelt).next(),
      () => db.history(0 as never, misspelt),
    ]) {
      const { code, message } = await refusal(work)
      expect(code).toMatch(/^(OPERATIONS|PERSISTENCE)_INVALID_OPTION$/)
      expect(message).toContain('onProgres')
    }
    expect(await readdir(directory)).not.toContain('backups')
  })
})

describe('A record that cannot be read', () => {
  test('whose bytes were flipped: says which object, and what else there is can be read', async () => {
    const db = await aDatabase()
    const oid = await db.view(({ root }) => oidOf(traverse(root, '/notes/one', Note)) as number)
    await db.close()
    // From the redo log it would be healed.
    const storage = createDirectoryStorage(directory)
    await storage.open()
    await storage.checkpoint()
    await storage.close()
    const level = new ClassicLevel<Buffer, Buffer>(directory, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
    })
    for (const [key, value] of await level.iterator().all()) {
      const isRecord = key.length === 9 && Number(key.readBigUInt64BE(1)) === oid
      if (!isRecord || !value.includes('first')) continue
      value[value.indexOf('first')] = 0x46
      await level.put(key, value)
    }
    await level.close()
    await using again = await Database.open(directory)
    const { code, message } = await refusal(() => textOf(again))
    expect(code).toBe('STORAGE_CORRUPT_RECORD')
    expect(message).toContain(oid.toString(16).padStart(16, '0'))
    expect(await again.view(({ root }) => [...root.keys()])).toEqual(['notes'])
  })

  test('of a class that this program lacks: names it, and the object stays', async () => {
    const db = await aDatabase()
    // What another program stored: its class is registered here under a name that is then unknown.
    class Stranger extends Contained {}
    definePersistent(Stranger, { name: 'elsewhere.Stranger', fields: { secret: 42 } })
    await db.transaction(({ root }) => {
      root.set('stranger', new Stranger())
    })
    await db.close()
    const { execFile } = await import('node:child_process')
    const script = `
      import { Database } from 'treehook'
      const db = await Database.open(${JSON.stringify(directory)})
      try {
        await db.view(({ root }) => root.get('stranger'))
      } catch (error) {
        console.log(error.code, error.message)
      }
      await db.close()`
    const file = join(__dirname, '../support', `stranger-${process.pid}.mts`)
    await writeFile(file, script)
    try {
      const printed = await new Promise<string>((resolve, reject) =>
        execFile(process.execPath, ['--import', 'tsx', file], (error, stdout) =>
          error === null ? resolve(stdout) : reject(error),
        ),
      )
      expect(printed).toMatch(/^PERSISTENCE_UNKNOWN_CLASS /)
      expect(printed).toContain('elsewhere.Stranger')
    } finally {
      await rm(file)
    }
    await using again = await Database.open(directory)
    const secret = await again.view(
      ({ root }) => (root.get('stranger') as unknown as { secret: number }).secret,
    )
    expect(secret).toBe(42)
  })
})

describe('A value that cannot be stored', () => {
  class Opaque {}
  test.each([
    ['a function', () => 1, 'function'],
    ['a symbol', Symbol('s'), 'symbol'],
    ['an instance of a class without a stored name', { deep: [new Opaque()] }, 'Opaque'],
    ['a promise', Promise.resolve(), 'Promise'],
  ])('%s is refused at the write, and the old value stays', async (_what, value, word) => {
    await using db = await aDatabase()
    await db.transaction(async ({ root }) => {
      const note = traverse(root, '/notes/one', Note)
      const { code, message } = await refusal(() => {
        note.text = value
      })
      expect(code).toBe('PERSISTENCE_UNSTORABLE_VALUE')
      expect(message).toContain(word)
      expect(message).toContain('text')
    })
    expect(await textOf(db)).toBe('first')
  })

  test('an object whose class has no stored name is refused at commit, and nothing is stored', async () => {
    await using db = await aDatabase()
    class Nameless extends Persistent {}
    const { code, message } = await refusal(() =>
      db.transaction(({ root }) => {
        traverse(root, '/notes/one', Note).text = new Nameless()
        root.set('two', new Note())
      }),
    )
    expect(code).toBe('PERSISTENCE_INVALID_CLASS')
    expect(message).toContain('Nameless')
    expect(await textOf(db)).toBe('first')
    expect(await db.view(({ root }) => root.has('two'))).toBe(false)
  })
})

describe('A write outside a transaction', () => {
  test('is refused with the object named, and changes nothing', async () => {
    await using db = await aDatabase()
    const note = await db.view(({ root }) => traverse(root, '/notes/one', Note))
    const { code, message } = await refusal(() => {
      note.text = 'lost'
    })
    expect(code).toBe('PERSISTENCE_OUTSIDE_TRANSACTION')
    expect(message).toMatch(/bad-input\.Note.*(\/notes\/one|oid [0-9a-f]{16})/)
    expect(message).toContain('db.transaction')
    expect(await textOf(db)).toBe('first')
  })
})

describe('A path that does not exist', () => {
  test('says how far it went and what is there', async () => {
    await using db = await aDatabase()
    const { code, message } = await refusal(() =>
      db.view(({ root }) => traverse(root, '/notes/two/three')),
    )
    expect(code).toBe('CONTENT_LOCATION')
    expect(message).toContain('ends at /notes')
    expect(message).toContain('"two"')
    expect(message).toContain('"one"')
  })
})

describe('A subscription that cannot be', () => {
  test.each([
    [{ to: 'http://example.com/hook' }, 'WEBHOOK_INVALID_TARGET'],
    [{ to: 'example.com' }, 'WEBHOOK_INVALID_TARGET'],
    [{ to: 'https://example.com/ hook' }, 'WEBHOOK_INVALID_TARGET'],
    [{ to: 7 as never }, 'WEBHOOK_INVALID_TARGET'],
    [{ to: 'https://example.com', when: Note as never }, 'WEBHOOK_INVALID_TRIGGER'],
    [{ to: 'https://example.com', dialectId: 'nobody' }, 'WEBHOOK_UNKNOWN_DIALECT'],
    [{ to: 'https://example.com', ownerId: 'a b' }, 'WEBHOOK_INVALID_OWNER'],
  ])('%j gives %s, and neither it nor its manager is made', async (options, expected) => {
    await using db = await Database.open(directory)
    await db.transaction(async ({ root }) => {
      const site = root.set('site', new Site())
      const given = { when: IObjectModifiedEvent, ...options }
      expect((await refusal(() => subscribeToResource(site, given))).code).toBe(expected)
      expect(site.siteManager.default.size).toBe(0)
    })
  })
})
