import { describe, expect, test } from '@jest/globals'
import {
  defineInterface,
  MemoryRegistrationTable,
  type Registration,
} from '../../lib/component/index.js'
import { changesInMemory } from '../../lib/component/registration-table.js'

const IBase = defineInterface('test.IBase')
const IDerived = defineInterface('test.IDerived', { extends: [IBase] })
const IOther = defineInterface('test.IOther')

function aRow(fields: Partial<Registration>): Registration {
  return {
    kind: 'utility',
    required: [],
    provided: IBase,
    name: '',
    component: {},
    info: '',
    ...fields,
  }
}

function aTable(...rows: readonly Registration[]): MemoryRegistrationTable {
  const table = new MemoryRegistrationTable()
  for (const row of rows) table.add(row)
  return table
}

describe('Memory registration table', () => {
  test('finds rows of the kind that provide what is asked, or more', () => {
    const base = aRow({})
    const derived = aRow({ provided: IDerived })
    const other = aRow({ provided: IOther })
    const table = aTable(base, derived, other, aRow({ kind: 'adapter', required: [IBase] }))
    const query = { kind: 'utility', required: [], name: '' } as const
    expect([...table.candidates({ ...query, provided: IBase })]).toEqual([base, derived])
    expect([...table.candidates({ ...query, provided: IDerived })]).toEqual([derived])
  })

  test('finds one name, or any', () => {
    const rows = ['', 'a', 'b'].map((name) => aRow({ name }))
    const query = { kind: 'utility', required: [], provided: IBase } as const
    expect([...aTable(...rows).candidates({ ...query, name: 'a' })]).toEqual([rows[1]])
    expect([...aTable(...rows).candidates(query)]).toEqual(rows)
  })

  test('finds rows whose first requirement the first object meets, as registered', () => {
    const rows = [IDerived, IBase, IBase, IOther].map((one) =>
      aRow({ kind: 'handler', provided: undefined, required: [one] }),
    )
    const query = { kind: 'handler', provided: undefined, name: '' } as const
    const table = aTable(...rows)
    expect([...table.candidates({ ...query, required: [IDerived] })]).toEqual(rows.slice(0, 3))
    expect([...table.candidates({ ...query, required: [IBase] })]).toEqual(rows.slice(1, 3))
    expect([...table.candidates({ ...query, required: [IBase, IBase] })]).toEqual([])
  })

  test('gives every row, and none that was removed', () => {
    const rows = ['a', 'b', 'c'].map((name) => aRow({ name }))
    const table = aTable(...rows)
    table.remove(rows[1]!)
    expect([...table]).toEqual([rows[0], rows[2]])
  })

  test('has another stamp after each change, and moves what it watches', () => {
    const table = aTable()
    const row = aRow({})
    const stamps = [table.stamp]
    const watched = [changesInMemory.stamp]
    for (const change of [() => table.add(row), () => table.remove(row)]) {
      change()
      stamps.push(table.stamp)
      watched.push(table.watch.stamp as number)
    }
    expect(new Set(stamps).size).toBe(3)
    expect(new Set(watched).size).toBe(3)
  })

  test('keeps its stamp when a row that is not there is removed', () => {
    const table = aTable(aRow({}))
    const before = table.stamp
    table.remove(aRow({ name: 'absent' }))
    expect(table.stamp).toBe(before)
  })
})
