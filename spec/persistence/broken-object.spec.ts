import { describe, expect, test } from '@jest/globals'
import {
  BrokenObject,
  type BTree,
  type ClassFactory,
  describeObject,
  type ObjectDatabase,
  oidOf,
  Persistent,
  stored,
  treeEntries,
  treeSet,
} from '../../lib/persistence/index.js'
import { aMemoryPlace, anEarlierObject, Employee } from '../support/persistence-builders.js'
import { codeThrownBy, errorOf } from '../support/storage-builders.js'

type Gone = BrokenObject & { title: string; phones: string[]; boss: Employee }

@stored('spec.Substitute')
class Substitute extends Persistent {}

/** A database with an object of a class that no program has, under the name `it`. */
async function aDatabaseWithGone(
  options: { onMissingClass?: 'throw' | 'broken'; classFactory?: ClassFactory } = {
    onMissingClass: 'broken',
  },
): Promise<ObjectDatabase> {
  const place = aMemoryPlace()
  const before = await place()
  await before.transaction(({ rootMapping }) => {
    const boss = new Employee({ title: 'boss' })
    const state = { title: 'clerk', phones: ['1'], boss, state: 'own', at: new Date(5) }
    rootMapping.set('it', anEarlierObject('spec.Gone', state))
    const tree = anEarlierObject('spec.GoneTree', { __tree__: undefined, city: 'Oslo' })
    for (let n = 0; n < 100; n++) treeSet(tree, n, { n })
    rootMapping.set('tree', tree)
  })
  await before.close()
  return place(options)
}

const goneOf = ({ rootMapping }: { rootMapping: BTree<string, Persistent> }): Gone =>
  rootMapping.get('it') as Gone

const bytesOf = (db: ObjectDatabase, oid = 0) =>
  db.view(({ connection, rootMapping }) => {
    const record = connection.loadRecord(oidOf(rootMapping.get('it')!) ?? (oid as never))
    return [record?.classId, Buffer.from(record!.state).toString('hex')]
  })

describe('Broken object', () => {
  test('has the state of the object whose class is missing', async () => {
    const db = await aDatabaseWithGone()
    await db.view((context) => {
      const gone = goneOf(context)
      expect(gone).toBeInstanceOf(BrokenObject)
      expect([gone.storedName, gone.title, gone.phones[0], gone.boss.title]).toEqual([
        'spec.Gone',
        'clerk',
        '1',
        'boss',
      ])
      expect(gone.state).toMatchObject({ title: 'clerk', phones: ['1'], state: 'own' })
      expect(gone.state.boss).toBe(gone.boss)
      expect(Object.isFrozen(gone.state)).toBe(true)
      expect(describeObject(gone)).toContain('spec.Gone')
    })
    await db.close()
  })

  test('has the entries of its tree', async () => {
    const db = await aDatabaseWithGone()
    await db.view(({ rootMapping }) => {
      const tree = rootMapping.get('tree') as BrokenObject
      expect([...treeEntries(tree)].length).toBe(100)
      expect(tree.state).toEqual({ city: 'Oslo' })
    })
    await db.close()
  })

  test('cannot be changed, and says why', async () => {
    const db = await aDatabaseWithGone()
    const before = await bytesOf(db)
    const changes: ((gone: Gone) => void)[] = [
      (gone) => {
        gone.title = 'boss'
      },
      (gone) => void gone.phones.push('2'),
    ]
    for (const change of changes) {
      const error = await errorOf(() => db.transaction((context) => change(goneOf(context))))
      expect(error).toMatchObject({
        code: 'PERSISTENCE_BROKEN_OBJECT',
        details: { storedName: 'spec.Gone' },
      })
      expect(error.message).toContain("@stored('spec.Gone')")
    }
    expect(
      await codeThrownBy(() =>
        db.transaction(({ rootMapping }) => void treeSet(rootMapping.get('tree')!, 1, 1)),
      ),
    ).toBe('PERSISTENCE_BROKEN_OBJECT')
    expect(
      await errorOf(() =>
        db.transaction((context) => void Object.assign(goneOf(context), { other: 1 })),
      ),
    ).toBeInstanceOf(TypeError)
    expect(await bytesOf(db)).toEqual(before)
    await db.close()
  })

  test('can be referred to and moved', async () => {
    const db = await aDatabaseWithGone()
    const before = await bytesOf(db)
    await db.transaction((context) => {
      const gone = goneOf(context)
      context.rootMapping.delete('it')
      context.rootMapping.set('holder', new Employee({ data: [gone] }))
    })
    await db.transaction(({ rootMapping }) => {
      const [gone] = (rootMapping.get('holder') as Employee).data as Gone[]
      rootMapping.set('it', gone!)
    })
    db.cacheClear()
    expect(await db.view((context) => goneOf(context).title)).toBe('clerk')
    expect(await bytesOf(db)).toEqual(before)
    await db.close()
  })

  test('is written as it was read, under its own class row', async () => {
    const db = await aDatabaseWithGone()
    const before = await bytesOf(db)
    await db.transaction(({ connection, rootMapping }) => {
      // What every write of an object does, but for the refusal.
      connection.registerChanged(rootMapping.get('it')!)
    })
    expect(await bytesOf(db)).toEqual(before)
    await db.close()
  })
})

describe('A class that is missing', () => {
  test('is an error unless the database says otherwise', async () => {
    const db = await aDatabaseWithGone({})
    const error = await errorOf(() => db.view((context) => goneOf(context)))
    expect(error).toMatchObject({ code: 'PERSISTENCE_UNKNOWN_CLASS' })
    expect(error.message).toContain("onMissingClass: 'broken'")
    await db.close()
  })

  test('may be given by the class factory', async () => {
    const asked: string[] = []
    const db = await aDatabaseWithGone({
      classFactory: (storedName) => {
        asked.push(storedName)
        return storedName === 'spec.Gone' ? Substitute : undefined
      },
    })
    expect(await db.view((context) => goneOf(context) instanceof Substitute)).toBe(true)
    expect(await codeThrownBy(() => db.view(({ rootMapping }) => rootMapping.get('tree')))).toBe(
      'PERSISTENCE_UNKNOWN_CLASS',
    )
    expect(asked).toEqual(['spec.Gone', 'spec.GoneTree'])
    await db.close()
  })
})
