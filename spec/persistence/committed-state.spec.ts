import { describe, expect, test } from '@jest/globals'
import { layoutOf } from '../../lib/persistence/class-layout.js'
import { ClassTable } from '../../lib/persistence/class-table.js'
import { CommittedState } from '../../lib/persistence/committed-state.js'
import { toOid, toTid } from '../../lib/storage/index.js'
import { Employee } from '../support/persistence-builders.js'

test('a committed state is charged for more than its encoded bytes', () => {
  const layout = new ClassTable([]).layoutFor(layoutOf(Employee))
  const state = (bytes: number) => new CommittedState(toOid(1), toTid(2), layout, ['x'], bytes)
  expect(state(0).bytes).toBeGreaterThan(0)
  expect(state(1000).bytes - state(0).bytes).toBeGreaterThan(1000)
  expect(Number.isInteger(state(333).bytes)).toBe(true)
})

describe('Committed states', () => {
  test('hold what they were made of', () => {
    const layout = new ClassTable([]).layoutFor(layoutOf(Employee))
    const state = new CommittedState(toOid(1), toTid(2), layout, ['x'], 5)
    expect(state).toMatchObject({ oid: 1, serial: 2, layout, values: ['x'], used: true })
  })
})
