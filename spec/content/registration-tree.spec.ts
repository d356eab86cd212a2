import { afterEach, describe, expect, test } from '@jest/globals'
import {
  defineInterface,
  MemoryRegistrationTable,
  type Registration,
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

  test('refuses a component that is no persistent object', () => {
    const table = anEmptyTree()
    for (const component of [{}, () => 1, null, 7]) {
      const add = () => table.add(aRow({ component }))
      expect(codeOfThrown(add)).toBe('COMPONENT_INVALID_REGISTRATION')
    }
    expect([...table]).toEqual([])
  })

  test('has no stamp while nobody may remember what it says', async () => {
    expect(anEmptyTree().stamp).toBeUndefined()
    const db = await aMemoryPlace()()
    const stampOf = (change: boolean) =>
      db.objects.transaction(({ rootMapping }) => {
        const rows = rootMapping.get('rows') as BTree<Key, never>
        const table = new RegistrationTree(rows)
        if (change) table.add(aRow({ name: 'new' }))
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
