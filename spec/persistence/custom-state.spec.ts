import { describe, expect, test } from '@jest/globals'
import {
  type BTree,
  type CustomState,
  estimatedSizeOf,
  field,
  type ObjectDatabase,
  Persistent,
  serialOf,
  stored,
} from '../../lib/persistence/index.js'
import { slotsOf } from '../../lib/persistence/persistent.js'
import { aConnection, aDatabase, aMemoryPlace, Employee } from '../support/persistence-builders.js'
import { codeThrownBy, errorOf } from '../support/storage-builders.js'

/** Stored as text, worked with as a list. */
@stored('spec.Poem')
class Poem extends Persistent implements CustomState {
  @field accessor lines: string[] | string = []
  @field accessor author: Employee | undefined = undefined
  @field accessor reads = 0
  volatile = 'made by the constructor'

  getState() {
    this.reads++ // not stored with this write, and no reason for another
    return { lines: (this.lines as string[]).join('\n'), reads: 0 }
  }

  setState({ lines, author }: { lines: string; author?: Employee }) {
    this.lines = lines === '' ? [] : lines.split('\n')
    this.volatile = `${this.lines.length} lines by ${author?.title}`
  }
}

@stored('spec.Odd')
class Odd extends Persistent {
  @field accessor value: unknown = undefined
  static state: Record<string, unknown> = {}
  getState() {
    return Odd.state
  }
}

async function aDatabaseWithPoem(): Promise<ObjectDatabase> {
  const db = await aDatabase()
  await db.transaction(({ rootMapping }) => {
    const poem = new Poem()
    poem.lines = ['a', 'b']
    poem.author = new Employee({ title: 'poet' })
    rootMapping.set('poem', poem)
  })
  return db
}
const poemOf = ({ rootMapping }: { rootMapping: BTree<string, Persistent> }): Poem =>
  rootMapping.get('poem') as Poem

describe('Custom state', () => {
  test('is stored in place of what the object holds', async () => {
    const place = aMemoryPlace()
    const db = await place()
    await db.transaction(({ rootMapping }) => {
      const poem = new Poem()
      poem.lines = ['a', 'b']
      rootMapping.set('poem', poem)
    })
    const { layout, values } = await db.view(({ connection }) => {
      return slotsOf(poemOf(connection)).committed!
    })
    expect(Object.fromEntries(layout.names.map((name, index) => [name, values[index]]))).toEqual({
      lines: 'a\nb',
      author: undefined,
      reads: 0,
    })
    await db.close()
  })

  test('is made into what the program works with, before it reads a field', async () => {
    const db = await aDatabaseWithPoem()
    db.cacheClear()
    await db.view((context) => {
      const poem = poemOf(context)
      expect([...poem.lines]).toEqual(['a', 'b'])
      expect([poem.volatile, poem.author?.title]).toEqual(['2 lines by poet', 'poet'])
    })
    await db.close()
  })

  test('does not change the object when it is loaded', async () => {
    const db = await aDatabaseWithPoem()
    const { lastTid } = db
    await db.transaction((context) => void [...poemOf(context).lines])
    expect(db.lastTid).toBe(lastTid)
    await db.close()
  })

  test('is stored once, whatever getState writes', async () => {
    const db = await aDatabaseWithPoem()
    const { lastTid } = db
    await db.transaction((context) => void (poemOf(context).lines as string[]).push('c'))
    await db.transaction((context) => {
      expect(serialOf(poemOf(context))).toBe(lastTid + 1)
    })
    expect(db.lastTid).toBe(lastTid + 1)
    db.cacheClear()
    expect(await db.view((context) => [...poemOf(context).lines])).toEqual(['a', 'b', 'c'])
    await db.close()
  })

  test('is made again after commit and abort, in the same connection', async () => {
    const db = await aDatabaseWithPoem()
    const { connection, transactions } = aConnection(db)
    transactions.begin()
    const poem = poemOf(connection)
    ;(poem.lines as string[]).push('c')
    await transactions.commit()
    expect([[...poem.lines], poem.volatile]).toEqual([['a', 'b', 'c'], '3 lines by poet'])
    transactions.begin()
    poem.lines = ['gone']
    await transactions.abort()
    expect([...poem.lines]).toEqual(['a', 'b', 'c'])
    await db.close()
  })

  test('names fields of the class only', async () => {
    const db = await aDatabase()
    const store = () => db.transaction(({ rootMapping }) => void rootMapping.set('odd', new Odd()))
    Odd.state = { other: 1 }
    const error = await errorOf(store)
    expect(error).toMatchObject({ code: 'PERSISTENCE_INVALID_CLASS' })
    expect(error.message).toContain('@field accessor other')
    Odd.state = { value: [() => 1] }
    expect(await codeThrownBy(store)).toBe('PERSISTENCE_UNSTORABLE_VALUE')
    await db.close()
  })
})

describe('Volatile properties', () => {
  test('live with the object, are never stored, and are gone when it is loaded anew', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => void rootMapping.set('bob', new Employee()))
    const { lastTid } = db
    const { connection, transactions } = aConnection(db)
    transactions.begin()
    const bob = connection.rootMapping.get('bob') as Employee & { note?: string }
    bob.note = 'volatile'
    await transactions.commit()
    expect([bob.note, db.lastTid]).toEqual(['volatile', lastTid])
    db.cacheClear()
    expect(await db.view(({ rootMapping }) => 'note' in rootMapping.get('bob')!)).toBe(false)
    await db.close()
  })
})

describe('The estimated size', () => {
  test('of an object grows with its state', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      rootMapping.set('small', new Employee())
      rootMapping.set('large', new Employee({ title: 'x'.repeat(10_000) }))
    })
    await db.view(({ rootMapping }) => {
      const sizes = ['small', 'large'].map((name) => estimatedSizeOf(rootMapping.get(name)!))
      expect(sizes[0]).toBeGreaterThan(0)
      expect(sizes[1]! - sizes[0]!).toBeGreaterThan(9_000)
    })
    expect(estimatedSizeOf(new Employee())).toBe(0)
    await db.close()
  })
})
