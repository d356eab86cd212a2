import { Readable, Writable } from 'node:stream'
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  alsoProvides,
  defineInterface,
  directlyProvidedBy,
  directlyProvides,
  implementer,
  noLongerProvides,
  providedBy,
  provides,
  queryAdapter,
} from '../../lib/component/index.js'
import { Contained, copyOf, exportObject, traverse } from '../../lib/content/index.js'
import { importObject, marksOf, setMarks, stateOf, stored } from '../../lib/persistence/index.js'
import {
  aMemoryPlace,
  anOffice,
  closeDatabases,
  codeOfThrown,
  Employee,
  inTransaction,
  type TreeDatabase,
} from '../support/content-builders.js'

afterEach(closeDatabases)

const IBoss = defineInterface('declarations-spec.IBoss')
const IBigBoss = defineInterface('declarations-spec.IBigBoss', { extends: [IBoss] })
const IPilot = defineInterface('declarations-spec.IPilot')

@stored('declarations-spec.Captain')
@implementer(IPilot)
class Captain extends Contained {}

const BOB = '/NOAA/NWS/OUN/employees/Bob'
const change = (db: TreeDatabase, work: (bob: Employee) => void) =>
  db.transaction(({ root }) => work(traverse(root, BOB, Employee)))
const look = <T>(db: TreeDatabase, read: (bob: Employee) => T) => {
  db.objects.cacheClear()
  return db.view(({ root }) => read(traverse(root, BOB, Employee)))
}

describe('What a persistent object provides beyond its class', () => {
  test('is committed with it, and is there after reopening', async () => {
    const open = aMemoryPlace()
    const before = await open()
    await before.transaction(({ root }) => {
      alsoProvides(root.set('Ann', new Employee()), IBigBoss, IPilot)
      root.set('Bob', new Employee())
    })
    await before.close()
    const db = await open()
    await db.view(({ root }) => {
      const [ann, bob] = [root.get('Ann') as Employee, root.get('Bob') as Employee]
      expect(directlyProvidedBy(ann)).toEqual([IBigBoss, IPilot])
      expect([provides(ann, IBoss), provides(bob, IBoss)]).toEqual([true, false])
      expect(providedBy(ann)).toBe(providedBy(ann))
      expect(directlyProvidedBy(bob)).toEqual([])
    })
  })

  test('is a write: seen by other connections after the commit, undone by an abort', async () => {
    const db = await anOffice()
    await db.transaction(async ({ root }) => {
      const bob = traverse(root, BOB, Employee)
      alsoProvides(bob, IBoss)
      expect([IBoss.providedBy(bob), stateOf(bob)]).toEqual([true, 'changed'])
    })
    expect(await look(db, (bob) => IBoss.providedBy(bob))).toBe(true)
    const aborted = change(db, (bob) => {
      noLongerProvides(bob, IBoss)
      expect(IBoss.providedBy(bob)).toBe(false)
      throw new Error('no')
    })
    await expect(aborted).rejects.toThrow('no')
    expect(await look(db, (bob) => IBoss.providedBy(bob))).toBe(true)
    await change(db, (bob) => noLongerProvides(bob, IBoss))
    expect(await look(db, (bob) => directlyProvidedBy(bob))).toEqual([])
  })

  test('goes back with a savepoint', async () => {
    const db = await anOffice()
    await db.objects.transaction(({ connection, transaction }) => {
      const bob = new Employee()
      alsoProvides(bob, IPilot)
      connection.add(bob)
      const savepoint = transaction.savepoint()
      directlyProvides(bob, IBoss)
      savepoint.rollback()
      expect(directlyProvidedBy(bob)).toEqual([IPilot])
    })
  })

  test('is written in a transaction only', async () => {
    const db = await anOffice()
    await db.view(({ root }) => {
      const bob = traverse(root, BOB, Employee)
      const declaring = () => alsoProvides(bob, IBoss)
      expect(codeOfThrown(declaring)).toBe('PERSISTENCE_READ_ONLY_TRANSACTION')
      expect(provides(bob, IBoss)).toBe(false)
    })
  })

  test('goes with copies, exports and imports', async () => {
    const db = await anOffice()
    await change(db, (bob) => alsoProvides(bob, IBoss))
    await db.transaction(({ root }) => {
      root.set('Rob', copyOf(traverse(root, BOB, Employee)))
    })
    const pieces: string[] = []
    const to = new Writable({
      write(chunk, _, done) {
        pieces.push(String(chunk))
        done()
      },
    })
    await db.view(({ root }) => exportObject(traverse(root, '/Rob', Employee), to))
    const { root: oid } = await importObject(db.objects, Readable.from(pieces))
    db.objects.cacheClear()
    await db.view(({ root, connection }) => {
      expect(provides(root.get('Rob'), IBoss)).toBe(true)
      expect(provides(connection.get(oid), IBoss)).toBe(true)
    })
  })

  test('decides which adapter it gets', async () => {
    const db = await anOffice()
    const IBadge = defineInterface<{ color: string }>('declarations-spec.IBadge')
    db.registry.registerAdapter(() => ({ color: 'grey' }), { adapts: [Employee], provides: IBadge })
    db.registry.registerAdapter(() => ({ color: 'gold' }), { adapts: [IBoss], provides: IBadge })
    const color = () => look(db, (bob) => queryAdapter(bob, IBadge)?.color)
    expect(await color()).toBe('grey')
    await change(db, (bob) => alsoProvides(bob, IBoss))
    expect(await color()).toBe('gold')
  })

  test('leaves out what the class provides', () =>
    inTransaction((root) => {
      const captain = root.set('captain', new Captain())
      alsoProvides(captain, IPilot, IBoss)
      expect(directlyProvidedBy(captain)).toEqual([IBoss])
      expect(codeOfThrown(() => noLongerProvides(captain, IPilot))).toBe(
        'COMPONENT_INVALID_REGISTRATION',
      )
    }))

  test('changes nothing when it would contradict itself', () =>
    inTransaction((root) => {
      const bob = root.set('Bob', new Employee())
      alsoProvides(bob, IPilot)
      const IOne = defineInterface('declarations-spec.IOne', { extends: [IBoss, IPilot] })
      const IOther = defineInterface('declarations-spec.IOther', { extends: [IPilot, IBoss] })
      expect(codeOfThrown(() => alsoProvides(bob, IOne, IOther))).toBe(
        'COMPONENT_INCONSISTENT_ORDER',
      )
      expect(directlyProvidedBy(bob)).toEqual([IPilot])
    }))

  test('stays declared when this program lacks the interface, until that is defined', async () => {
    const db = await anOffice()
    await change(db, (bob) => setMarks(bob, ['declarations-spec.ILate', IBoss.name]))
    expect(await look(db, (bob) => provides(bob, IBoss))).toBe(true)
    await change(db, (bob) => alsoProvides(bob, IPilot))
    expect(await look(db, marksOf)).toEqual(['declarations-spec.ILate', IBoss.name, IPilot.name])
    await db.view(({ root }) => {
      const bob = traverse(root, BOB, Employee)
      expect(directlyProvidedBy(bob).map(({ id }) => id)).toContain('declarations-spec.ILate')
      const ILate = defineInterface('declarations-spec.ILate')
      expect(ILate.providedBy(bob)).toBe(true)
      expect(directlyProvidedBy(bob)[0]).toBe(ILate)
    })
  })

  test('is nothing of a prototype', () => {
    expect(providedBy(Employee.prototype).extendsOrIs(IBoss)).toBe(false)
  })
})
