import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  type BTree,
  exportSubtree,
  type ImportOptions,
  importObject,
  type ObjectDatabase,
  oidOf,
  type Persistent,
  plain,
  WeakReference,
} from '../../lib/persistence/index.js'
import {
  aDatabase,
  aMemoryPlace,
  anEarlierObject,
  Employee,
  Office,
} from '../support/persistence-builders.js'
import { codeThrownBy, errorOf, TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

/** The export of an object, as text. */
async function exportOf(object: Persistent): Promise<string> {
  const db = await aDatabase()
  await db.transaction(({ rootMapping }) => void rootMapping.set('it', object))
  const to = new PassThrough()
  const [content] = await Promise.all([
    text(to),
    db.view(({ rootMapping }) => exportSubtree(rootMapping.get('it')!, to)),
  ])
  await db.close()
  return content
}

const importText = (db: ObjectDatabase, content: string, options?: ImportOptions) =>
  importObject(db, Readable.from([content]), options)

/** Imports and gives the root a place, and shows it to `look`. */
async function imported<T>(
  db: ObjectDatabase,
  content: string,
  look: (object: Persistent) => T,
): Promise<T> {
  const { root } = await importText(db, content)
  await db.transaction(({ connection, rootMapping }) => {
    rootMapping.set('imported', connection.get(root))
  })
  return db.view(({ rootMapping }) => look(rootMapping.get('imported')!))
}

function anEmployeeWithEverything(): Employee {
  const boss = new Employee({ title: 'boss' })
  const bob = new Employee({ title: 'Bob', phones: ['1'], boss })
  boss.boss = bob
  bob.data = {
    again: boss,
    list: [undefined, Number.NaN, 5n, new Date(5)],
    map: new Map<unknown, unknown>([[1, boss]]),
    set: new Set([Buffer.from('a')]),
    floats: new Float64Array([1.5]),
    $odd: { $ref: 'no reference' },
    weak: new WeakReference(boss),
    dead: new WeakReference(new Employee()),
  }
  return bob
}

describe('Import', () => {
  test('gives new objects that are as those exported', async () => {
    const content = await exportOf(anEmployeeWithEverything())
    const db = await aDatabase()
    await imported(db, content, (object) => {
      const bob = object as Employee
      expect([bob.title, [...bob.phones], bob.boss?.title, bob.boss?.boss === bob]).toEqual([
        'Bob',
        ['1'],
        'boss',
        true,
      ])
      const { weak, dead, ...data } = plain(bob.data) as Record<string, unknown>
      expect(data).toEqual({
        again: bob.boss,
        list: [undefined, Number.NaN, 5n, new Date(5)],
        map: new Map<unknown, unknown>([[1, bob.boss]]),
        set: new Set([Buffer.from('a')]),
        floats: new Float64Array([1.5]),
        $odd: { $ref: 'no reference' },
      })
      expect((weak as WeakReference).deref() === bob.boss).toBe(true)
      expect((dead as WeakReference).deref()).toBeUndefined()
    })
    await db.close()
  })

  test('gives new oids each time, and tells how much it was', async () => {
    const content = await exportOf(anEmployeeWithEverything())
    const db = await aDatabase()
    const first = await importText(db, content)
    const second = await importText(db, content)
    expect(first).toMatchObject({ objects: 2, entries: 0 })
    expect(second.root).not.toBe(first.root)
    await db.close()
  })

  test('exports again what was exported', async () => {
    const content = await exportOf(anEmployeeWithEverything())
    const db = await aDatabase()
    const again = await imported(db, content, (object) => oidOf(object)).then(() =>
      db.view(async ({ rootMapping }) => {
        const to = new PassThrough()
        const [result] = await Promise.all([
          text(to),
          exportSubtree(rootMapping.get('imported')!, to),
        ])
        return result
      }),
    )
    const withoutOids = (lines: string): string => {
      const names = new Map<string, string>() // oid → in which place it came first
      return lines.replaceAll(/"[0-9a-f]{16}"/g, (oid) => {
        names.set(oid, names.get(oid) ?? String(names.size))
        return names.get(oid)!
      })
    }
    expect(withoutOids(again)).toBe(withoutOids(content))
    await db.close()
  })

  test.each([10, 5_000, 120_000])(
    'has trees of %i entries, with objects between them',
    async (entries) => {
      const office = new Office()
      office.city = 'Oslo'
      for (let n = 0; n < entries; n++) office.set(`k${n}`, n % 1000 === 7 ? new Employee() : n)
      const second = new Office()
      second.set('first', office).set('last', new Employee({ title: 'last' }))
      const content = await exportOf(second)
      const db = await aDatabase({ checkReferences: true })
      await imported(db, content, (object) => {
        const read = (object as Office).get('first') as BTree<string, unknown>
        expect([(read as Office).city, read.size, read.get('k9')]).toEqual(['Oslo', entries, 9])
        expect(read.check()).toEqual([])
        let count = 0
        for (const [key, value] of read) {
          const n = Number(key.slice(1))
          if (n % 1000 === 7 ? !(value instanceof Employee) : value !== n) throw new Error(key)
          count++
        }
        expect(count).toBe(entries)
        expect(((object as Office).get('last') as Employee).title).toBe('last')
      })
      await db.close()
    },
    60_000,
  )

  test('is written with the fields of the export, whatever the classes are', async () => {
    const gone = anEarlierObject('spec.GoneImport', { x: 5, at: new Date(1) })
    const content = await exportOf(new Employee({ data: gone }))
    const place = aMemoryPlace()
    const db = await place({ onMissingClass: 'broken' })
    await imported(db, content, (object) => {
      const { data } = object as Employee
      expect((data as { state: unknown }).state).toEqual({ x: 5, at: new Date(1) })
    })
    await db.close()
  })

  test('leads nowhere where objects were left out, or where the caller says', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      rootMapping.set('boss', new Employee({ title: 'boss' }))
      rootMapping.set('it', new Employee({ boss: rootMapping.get('boss') as Employee }))
    })
    const file = join(await directories.create(), 'it.jsonl')
    const { outside } = await db.view(({ rootMapping }) =>
      exportSubtree(rootMapping.get('it')!, file, { belongs: () => false }),
    )
    const bosses: unknown[] = []
    const both: ImportOptions[] = [{}, { outside: (oid) => oid }]
    for (const options of both) {
      const { root } = await importObject(db, file, options)
      bosses.push(
        await db.view(({ connection }) => {
          const { boss } = connection.get(root) as Employee
          return boss && oidOf(boss)
        }),
      )
    }
    expect(bosses).toEqual([undefined, outside[0]])
    await db.close()
  })

  test('reads pieces of any size', async () => {
    const content = Buffer.from(await exportOf(new Employee({ title: 'Bø\u{1f600}b' })))
    const db = await aDatabase()
    const pieces = Array.from(content, (byte) => Uint8Array.of(byte))
    const { root } = await importObject(db, Readable.from(pieces))
    expect(await db.view(({ connection }) => (connection.get(root) as Employee).title)).toBe(
      'Bø\u{1f600}b',
    )
    await db.close()
  })

  test('refuses a bad header', async () => {
    const db = await aDatabase()
    const headers = ['', 'ZEXP\n', '{}\n', '[]\n', '5\n', '{"format":"treehook-export"}\n']
    for (const header of headers) {
      const error = await errorOf(() => importText(db, header))
      expect(error).toMatchObject({ code: 'PERSISTENCE_INVALID_EXPORT' })
      expect(error.message).toContain('Invalid export header')
    }
    await db.close()
  })

  test('refuses a file that was cut, wherever', async () => {
    const content = await exportOf(anEmployeeWithEverything())
    const db = await aDatabase()
    const headerEnd = content.indexOf('\n') + 1
    for (let length = headerEnd; length < content.length; length += 7) {
      const error = await errorOf(() => importText(db, content.slice(0, length)))
      expect(error).toMatchObject({ code: 'PERSISTENCE_TRUNCATED_EXPORT' })
      expect(error.message).toContain('Truncated export file')
    }
    await db.close()
  })

  test.each<[string, (lines: string[]) => string[], string]>([
    ['an object is missing', (lines) => lines.filter((_, n) => n !== 2), 'not in it'],
    ['an object comes twice', (lines) => [...lines.slice(0, 3), ...lines.slice(2)], 'Line 4'],
    ['a line is no JSON', (lines) => lines.with(2, '{'), 'Line 3'],
    ['a line is no object', (lines) => lines.with(2, 'null'), 'Line 3'],
    ['a kind is unknown', (lines) => lines.with(2, '{"kind":"tape"}'), 'newer treehook'],
    [
      'entries have no object',
      (lines) => lines.with(2, `{"kind":"entries","of":"${'0'.repeat(16)}","entries":[]}`),
      'Line 3',
    ],
    [
      'a value is none',
      (lines) => lines.with(2, lines[2]!.replace('"boss"', '{"$x":1}')),
      'stands for no kind',
    ],
    [
      'a name cannot be stored',
      (lines) => lines.with(2, lines[2]!.replace('"boss"', '{"__proto__":1}')),
      '__proto__',
    ],
    [
      'a class has no name',
      (lines) => lines.with(2, lines[2]!.replace('spec.Employee', '')),
      'class',
    ],
    ['the version is another', (lines) => lines.with(0, lines[0]!.replace('1', '2')), 'version'],
    ['there is more behind the end', (lines) => [...lines, lines[2]!], 'behind the end'],
  ])('refuses an export in which %s', async (_, spoil, message) => {
    const lines = (await exportOf(anEmployeeWithEverything())).trimEnd().split('\n')
    const db = await aDatabase()
    const error = await errorOf(() => importText(db, `${spoil(lines).join('\n')}\n`))
    expect(error).toMatchObject({ code: 'PERSISTENCE_INVALID_EXPORT' })
    expect(error.message).toContain(message)
    await db.close()
  })

  test('ends with the signal’s reason, and can be begun again', async () => {
    const office = new Office()
    for (let n = 0; n < 5000; n++) office.set(`${n}`, new Employee())
    const content = await exportOf(office)
    const db = await aDatabase()
    const abort = new AbortController()
    const reason = new Error('enough')
    const told: number[] = []
    const error = await errorOf(() =>
      importText(db, content, {
        signal: abort.signal,
        onProgress: ({ objects }) => {
          if (told.push(objects) === 2) abort.abort(reason)
        },
      }),
    )
    expect([error, told.length]).toEqual([reason, 2])
    expect(await importText(db, content)).toMatchObject({ objects: 5001, entries: 5000 })
    await db.close()
  })

  test('fails with the error of its source', async () => {
    const db = await aDatabase()
    expect(await errorOf(() => importObject(db, '/no/such/file'))).toMatchObject({ code: 'ENOENT' })
    await db.close()
    expect(await codeThrownBy(() => importText(db, ''))).toBe('STORAGE_CLOSED')
  })
})
