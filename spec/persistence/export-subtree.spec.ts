import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  exportSubtree,
  type ObjectDatabase,
  type Persistent,
  type SubtreeOptions,
  WeakReference,
} from '../../lib/persistence/index.js'
import {
  aConnection,
  aDatabase,
  aMemoryPlace,
  anEarlierObject,
  Employee,
  Office,
} from '../support/persistence-builders.js'
import { codeThrownBy, errorOf, TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

/** Keeps what is written to it. */
class Kept extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void) {
    this.text += chunk.toString()
    done()
  }
  get lines(): Record<string, unknown>[] {
    return this.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }
}

async function aDatabaseWith(object: Persistent): Promise<ObjectDatabase> {
  const db = await aDatabase()
  await db.transaction(({ rootMapping }) => void rootMapping.set('it', object))
  return db
}

async function exported(db: ObjectDatabase, options: SubtreeOptions = {}) {
  const to = new Kept()
  const summary = await db.view(({ rootMapping }) =>
    exportSubtree(rootMapping.get('it')!, to, options),
  )
  return { lines: to.lines, summary }
}

describe('Export', () => {
  test('has a header, a line for each object with class and fields by name, and an end', async () => {
    const boss = new Employee({ title: 'boss' })
    const bob = new Employee({ title: 'Bob', boss, data: [boss] })
    const db = await aDatabaseWith(bob)
    const { lines, summary } = await exported(db)
    const [header, first, second, end, ...rest] = lines
    const ref = (first!.fields as { boss: { $ref: string } }).boss
    expect(header).toEqual({ format: 'treehook-export', version: 1, root: first?.oid })
    expect(first).toMatchObject({
      kind: 'object',
      class: 'spec.Employee',
      fields: { title: 'Bob', phones: [], boss: ref, data: [ref] },
    })
    expect(second).toMatchObject({ oid: ref.$ref, fields: { title: 'boss' } })
    expect(end).toEqual({ kind: 'end', objects: 2, entries: 0 })
    expect([rest, summary]).toEqual([[], { objects: 2, entries: 0, outside: [] }])
    await db.close()
  })

  test('has the entries of a tree behind its object, in their order', async () => {
    const office = new Office()
    office.city = 'Oslo'
    for (let n = 0; n < 1000; n++) office.set(`k${String(n).padStart(4, '0')}`, n)
    const db = await aDatabaseWith(office)
    const { lines, summary } = await exported(db)
    expect(lines[1]).toMatchObject({ class: 'spec.Office', tree: true, fields: { city: 'Oslo' } })
    const entries = lines.filter(({ kind }) => kind === 'entries')
    expect(entries.every(({ of }) => of === lines[1]?.oid)).toBe(true)
    expect(entries.flatMap((line) => line.entries)).toEqual(
      Array.from({ length: 1000 }, (_, n) => [`k${String(n).padStart(4, '0')}`, n]),
    )
    expect(summary).toEqual({ objects: 1, entries: 1000, outside: [] })
    await db.close()
  })

  test('leaves out what does not belong, and lists it', async () => {
    const boss = new Employee({ title: 'boss', boss: new Employee({ title: 'above' }) })
    const db = await aDatabaseWith(new Employee({ boss, data: [boss, new Employee()] }))
    const asked: string[] = []
    const { lines, summary } = await exported(db, {
      belongs: (candidate, { lookUp, isExported, root }) => {
        asked.push(candidate.storedName)
        expect(isExported(root)).toBe(true)
        const above = candidate.referenceIn('boss')
        return above === undefined || lookUp(above) === undefined
      },
    })
    expect(lines[1]).toMatchObject({ fields: { boss: { $outside: expect.any(String) } } })
    expect([summary.objects, summary.outside.length, asked.length]).toEqual([2, 1, 2])
    await db.close()
  })

  test('names weak references and does not follow them', async () => {
    const db = await aDatabaseWith(new Employee({ data: new WeakReference(new Employee()) }))
    const { lines, summary } = await exported(db)
    expect(lines[1]).toMatchObject({ fields: { data: { $weak: expect.any(String) } } })
    expect(summary).toEqual({ objects: 1, entries: 0, outside: [] })
    await db.close()
  })

  test('needs no classes', async () => {
    const place = aMemoryPlace()
    const before = await place()
    await before.transaction(({ rootMapping }) => {
      rootMapping.set('it', new Employee({ data: anEarlierObject('spec.GoneExport', { x: 5 }) }))
    })
    await before.close()
    const db = await place()
    const { lines } = await exported(db)
    expect(lines[2]).toMatchObject({ class: 'spec.GoneExport', fields: { x: 5 } })
    await db.close()
  })

  test('is of what the transaction found', async () => {
    const db = await aDatabaseWith(new Employee({ title: 'old' }))
    const { connection, transactions } = aConnection(db)
    transactions.begin()
    const it = connection.rootMapping.get('it') as Employee
    it.title = 'changed here'
    await db.transaction(({ rootMapping }) => {
      ;(rootMapping.get('it') as Employee).phones.push('changed elsewhere')
    })
    const to = new Kept()
    await exportSubtree(it, to)
    expect(to.lines[1]).toMatchObject({ fields: { title: 'old', phones: [] } })
    await transactions.abort()
    await db.close()
  })

  test('needs an object that was committed, and a transaction', async () => {
    expect(await codeThrownBy(() => exportSubtree(new Employee(), new Kept()))).toBe(
      'STORAGE_OBJECT_NOT_FOUND',
    )
    const db = await aDatabaseWith(new Employee())
    const { connection, transactions } = aConnection(db)
    transactions.begin()
    const fresh = new Employee()
    connection.add(fresh)
    expect(await codeThrownBy(() => exportSubtree(fresh, new Kept()))).toBe(
      'STORAGE_OBJECT_NOT_FOUND',
    )
    await transactions.abort()
    transactions.begin()
    const it = connection.rootMapping.get('it')!
    await transactions.abort()
    expect(await codeThrownBy(() => exportSubtree(it, new Kept()))).toBe(
      'PERSISTENCE_OUTSIDE_TRANSACTION',
    )
    await db.close()
  })

  test('into a file tells how far it is', async () => {
    const office = new Office()
    for (let n = 0; n < 2000; n++) office.set(`${n}`, 'x'.repeat(100))
    const db = await aDatabaseWith(office)
    const path = join(await directories.create(), 'office.jsonl')
    const told: number[] = []
    await db.view(({ rootMapping }) =>
      exportSubtree(rootMapping.get('it')!, path, {
        onProgress: ({ entries }) => void told.push(entries),
      }),
    )
    expect(told.length).toBeGreaterThan(2)
    expect(told).toEqual(told.toSorted((one, other) => one - other))
    expect(told.at(-1)).toBe(2000)
    expect((await readFile(path, 'utf8')).endsWith('"entries":2000}\n')).toBe(true)
    await db.close()
  })

  test('ends with the signal’s reason, and leaves no file', async () => {
    const office = new Office()
    for (let n = 0; n < 3000; n++) office.set(`${n}`, 'x'.repeat(100))
    const db = await aDatabaseWith(office)
    const path = join(await directories.create(), 'office.jsonl')
    const abort = new AbortController()
    const reason = new Error('enough')
    const error = await errorOf(() =>
      db.view(({ rootMapping }) =>
        exportSubtree(rootMapping.get('it')!, path, {
          signal: abort.signal,
          onProgress: () => abort.abort(reason),
        }),
      ),
    )
    expect([error, existsSync(path)]).toEqual([reason, false])
    await db.close()
  })
})
