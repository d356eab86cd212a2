import { afterEach, describe, expect, test } from '@jest/globals'
import {
  ComponentRegistry,
  defineInterface,
  IAny,
  implementedBy,
  MemoryRegistrationTable,
  nameComponent,
  providedBy,
  type Registration,
  type RegistrationQuery,
} from '../../lib/component/index.js'
import { RegistrationTree } from '../../lib/content/registration-tree.js'
import { BTree, type Key } from '../../lib/persistence/index.js'
import { registrationTableContract } from '../contracts/registration-table-contract.js'
import {
  aMemoryPlace,
  closeDatabases,
  codeOfThrown,
  Employee,
} from '../support/content-builders.js'

afterEach(closeDatabases)

registrationTableContract('MemoryRegistrationTable', async (use) =>
  use(new MemoryRegistrationTable()),
)
registrationTableContract('RegistrationTree, not yet stored,', async (use) =>
  use(new RegistrationTree(new BTree<Key, never>())),
)

const IBoss = defineInterface('content-spec.ITreeBoss')

function aRow(fields: Partial<Registration> = {}): Registration {
  return {
    kind: 'utility',
    required: [],
    provided: IBoss,
    name: '',
    component: new Employee(),
    info: '',
    ...fields,
  }
}

function found(table: RegistrationTree, query: RegistrationQuery): number {
  return [...table.candidates(query)].length
}

describe('Registration tree', () => {
  const anEmptyTree = () => new RegistrationTree(new BTree<Key, never>())

  test('has its rows again after reopening', async () => {
    const open = aMemoryPlace()
    const before = await open()
    await before.objects.transaction(({ rootMapping }) => {
      const rows = new BTree<Key, never>()
      rootMapping.set('rows', rows)
      const table = new RegistrationTree(rows)
      const employee = new Employee()
      employee.title = 'Chief'
      for (let at = 0; at < 300; at++) {
        table.add(aRow({ name: `nr ${at}`, component: employee, info: 'why' }))
      }
      table.add(aRow({ kind: 'handler', provided: undefined, required: [IBoss] }))
    })
    await before.close()
    const db = await open()
    await db.objects.view(({ rootMapping }) => {
      const table = new RegistrationTree(rootMapping.get('rows') as BTree<Key, never>)
      const [row, ...more] = table.candidates({
        kind: 'utility',
        required: [],
        provided: IBoss,
        name: 'nr 217',
      })
      expect(more).toEqual([])
      expect(row).toMatchObject({ provided: IBoss, info: 'why', component: { title: 'Chief' } })
      expect([...table]).toHaveLength(301)
    })
  })

  test('keeps a component that has a name by that name, and finds it again', async () => {
    const reportOf = nameComponent('tree-spec.reportOf', () => ({ title: 'report' }))
    const open = aMemoryPlace()
    const before = await open()
    await before.objects.transaction(({ rootMapping }) => {
      const rows = new BTree<Key, never>()
      rootMapping.set('rows', rows)
      const registry = new ComponentRegistry({ name: 'a site', table: new RegistrationTree(rows) })
      registry.registerAdapter(reportOf, { adapts: [Employee], provides: IBoss })
      expect(registry.queryAdapter(new Employee(), IBoss)).toEqual({ title: 'report' })
    })
    await before.close()
    const db = await open()
    await db.objects.transaction(({ rootMapping }) => {
      const table = new RegistrationTree(rootMapping.get('rows') as BTree<Key, never>)
      const registry = new ComponentRegistry({ name: 'a site', table })
      expect(registry.getAdapter(new Employee(), IBoss)).toEqual({ title: 'report' })
      expect([...registry.registrations()][0]).toMatchObject({
        componentName: 'tree-spec.reportOf',
      })
      const place = { adapts: [Employee], provides: IBoss }
      expect(registry.unregisterAdapter(() => ({}), place)).toBe(false)
      expect(registry.unregisterAdapter(reportOf, place)).toBe(true)
      expect([...table]).toEqual([])
    })
  })

  test('says so when this program has no component of a name, once it is needed', () => {
    const rows = new BTree<Key, never>()
    const table = new RegistrationTree(rows)
    const registry = new ComponentRegistry({ name: 'a site', table })
    const place = { adapts: [Employee], provides: IBoss }
    registry.registerAdapter(
      nameComponent('tree-spec.present', () => undefined),
      place,
    )
    const [key] = [...rows.keys()]
    rows.set(
      key as Key,
      { ...(rows.get(key as Key) as unknown as object), component: 'tree-spec.gone' } as never,
    )
    expect(codeOfThrown(() => registry.queryAdapter(new Employee(), IBoss))).toBe(
      'COMPONENT_UNKNOWN',
    )
    expect([...registry.registrations()]).toHaveLength(1)
    const present = nameComponent('tree-spec.instead', () => ({}))
    registry.registerAdapter(present, place)
    expect(registry.queryAdapter(new Employee(), IBoss)).toEqual({})
    expect(registry.unregisterAdapter(undefined, place)).toBe(true)
  })

  test('keeps a row once, and finds it for what its interface extends', () => {
    const rows = new BTree<Key, never>()
    const table = new RegistrationTree(rows)
    const IBigBoss = defineInterface('content-spec.ITreeBigBoss', { extends: [IBoss] })
    table.add(aRow({ provided: IBigBoss }))
    table.add(aRow({ kind: 'adapter', provided: IBigBoss, required: [IAny] }))
    expect(rows.size).toBe(2)
    for (const provided of [IBigBoss, IBoss, IAny]) {
      expect(found(table, { kind: 'utility', required: [], provided, name: '' })).toBe(1)
      expect(found(table, { kind: 'utility', required: [], provided })).toBe(1)
      const required = [providedBy(new Employee())]
      expect(found(table, { kind: 'adapter', required, provided, name: '' })).toBe(1)
    }
  })

  test('has nothing for this program in rows that name what it lacks, until it has it', () => {
    const rows = new BTree<Key, never>()
    const table = new RegistrationTree(rows)
    const required = [implementedBy(Employee)]
    table.add(aRow({ kind: 'adapter', required: [IBoss] }))
    const [[key, row]] = [...rows.entries()] as unknown as [[Key[], object]]
    rows.clear()
    const gone = [{ interface: 'content-spec.IGone' }]
    rows.set(
      [...key.slice(0, 4), 'i:content-spec.IGone', 0] as Key,
      { ...row, required: gone } as never,
    )
    rows.set(['utility', 0, 'content-spec.ILateBoss', '', '', 0], {
      component: new Employee(),
    } as never)
    expect(found(table, { kind: 'adapter', required, provided: IBoss, name: '' })).toBe(0)
    expect(codeOfThrown(() => [...table])).toBe('COMPONENT_INVALID_REGISTRATION')
    const utility = { kind: 'utility', required: [], provided: IBoss } as const
    const registry = new ComponentRegistry({ name: 'a site', table })
    expect([found(table, utility), registry.queryUtility(IBoss)]).toEqual([0, undefined])
    defineInterface('content-spec.ILateBoss', { extends: [IBoss] })
    expect(found(table, utility)).toBe(1)
    expect(registry.queryUtility(IBoss)).toBeInstanceOf(Employee)
  })

  test('refuses a component that is no persistent object and has no name', () => {
    const table = anEmptyTree()
    for (const component of [{}, () => 1, null, 7]) {
      const add = () => table.add(aRow({ component }))
      expect(codeOfThrown(add)).toBe('COMPONENT_INVALID_REGISTRATION')
    }
    expect([...table]).toEqual([])
  })

  test('has no stamp while a transaction has changed it, but what it watches has one', async () => {
    expect(anEmptyTree().stamp).toBeUndefined()
    const db = await aMemoryPlace()()
    const stampOf = (change: boolean) =>
      db.objects.transaction(({ rootMapping }) => {
        const rows = rootMapping.get('rows') as BTree<Key, never>
        const table = new RegistrationTree(rows)
        if (!change) return table.stamp
        table.add(aRow({ name: 'new' }))
        const watched = table.watch.stamp
        table.add(aRow({ name: 'newer' }))
        expect(watched).toBeDefined()
        expect(table.watch.stamp).not.toBe(watched)
        return table.stamp
      })
    await db.objects.transaction(({ rootMapping }) => {
      rootMapping.set('rows', new BTree<Key, never>())
    })
    const before = await stampOf(false)
    expect(before).toBeDefined()
    expect(await stampOf(false)).toBe(before)
    expect(await stampOf(true)).toBeUndefined()
    const after = await stampOf(false)
    expect(after).toBeDefined()
    expect(after).not.toBe(before)
  })
})
