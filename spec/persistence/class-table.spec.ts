import { describe, expect, test } from '@jest/globals'
import { layoutOf } from '../../lib/persistence/class-layout.js'
import { ClassTable, NODE_LAYOUT } from '../../lib/persistence/class-table.js'
import { Persistent } from '../../lib/persistence/index.js'
import { toOid } from '../../lib/storage/index.js'
import { Employee, Office } from '../support/persistence-builders.js'
import { codeThrownBy } from '../support/storage-builders.js'

const NAMES = ['title', 'phones', 'boss', 'data']

describe('Class table', () => {
  test('gives each class an id, whose row goes with the next commit, once', () => {
    const table = new ClassTable([])
    const employee = table.layoutFor(layoutOf(Employee))
    expect([table.idFor(employee), table.idFor(NODE_LAYOUT), table.idFor(employee)]).toEqual([
      1, 2, 1,
    ])
    expect(table.takeUnwritten().map(({ classId, name }) => [classId, name])).toEqual([
      [1, 'spec.Employee'],
      [2, 'treehook.TreeNode'],
    ])
    expect(table.takeUnwritten()).toEqual([])
  })

  test('rows that a commit took are its own: later ones are not added to them', () => {
    const table = new ClassTable([])
    const nothing = table.takeUnwritten()
    table.idFor(NODE_LAYOUT)
    const taken = table.takeUnwritten()
    table.idFor(table.layoutFor(layoutOf(Employee)))
    expect([nothing.length, taken.length, table.takeUnwritten().length]).toEqual([0, 1, 1])
  })

  test('a class that is as it was stored keeps its id', () => {
    const table = new ClassTable([{ classId: 1, name: 'spec.Employee', fields: NAMES }])
    expect(table.idFor(table.layoutFor(layoutOf(Employee)))).toBe(1)
    expect(table.planFor(1, toOid(1)).order).toBeUndefined()
    expect(table.takeUnwritten()).toEqual([])
  })

  test('a class that changed gets another id, and reads its old records by the old row', () => {
    const table = new ClassTable([
      { classId: 1, name: 'spec.Employee', fields: ['boss', 'gone', 'title'] },
    ])
    const { layout, order } = table.planFor(1, toOid(1))
    expect(layout.names).toEqual([...NAMES, 'gone'])
    expect(order).toEqual([2, -1, 0, -1, 1])
    expect(table.idFor(table.layoutFor(layoutOf(Employee)))).toBe(2)
    expect(table.idFor(layout)).toBe(3)
  })

  test('a tree’s place is part of its layout', () => {
    expect(new ClassTable([]).layoutFor(layoutOf(Office))).toMatchObject({
      storedName: 'spec.Office',
      treeIndex: 0,
    })
  })

  test('refuses ids and classes that nobody knows', async () => {
    const table = new ClassTable([{ classId: 1, name: 'spec.Gone', fields: [] }])
    expect(await codeThrownBy(() => table.planFor(1, toOid(1)))).toBe('PERSISTENCE_UNKNOWN_CLASS')
    expect(await codeThrownBy(() => table.planFor(9, toOid(1)))).toBe('PERSISTENCE_UNKNOWN_CLASS')
    class Nameless extends Persistent {}
    expect(await codeThrownBy(() => table.layoutFor(layoutOf(Nameless)))).toBe(
      'PERSISTENCE_INVALID_CLASS',
    )
  })
})
