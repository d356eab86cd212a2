import { describe, expect, test } from '@jest/globals'
import {
  defineInterface,
  MemoryRegistrationTable,
  type Registration,
} from '../../lib/component/index.js'
import {
  type RegistrationQuestion,
  searchRegistrations,
} from '../../lib/component/registration-search.js'

const IA = defineInterface('test.IA')
const IB = defineInterface('test.IB', { extends: [IA] })
const IP = defineInterface('test.IP')
const IQ = defineInterface('test.IQ', { extends: [IP] })
const IR = defineInterface('test.IR', { extends: [IP] })

function aTable(rows: Record<string, Partial<Registration>>): MemoryRegistrationTable {
  const table = new MemoryRegistrationTable()
  for (const [component, fields] of Object.entries(rows)) {
    table.add({
      kind: 'adapter',
      required: [IA],
      provided: IP,
      name: '',
      info: '',
      component,
      ...fields,
    })
  }
  return table
}

function answer(
  tables: readonly MemoryRegistrationTable[],
  question: Partial<RegistrationQuestion>,
): unknown[] {
  return searchRegistrations(tables, {
    ask: 'adapter',
    required: [IB],
    provided: IP,
    name: '',
    ...question,
  }).map(({ component }) => component)
}

describe('Registration search', () => {
  test('finds the row for the most specific requirement', () => {
    const table = aTable({ general: { required: [IA] }, specific: { required: [IB] } })
    expect(answer([table], {})).toEqual(['specific'])
    expect(answer([table], { required: [IA] })).toEqual(['general'])
  })

  test('lets the first object decide before the second', () => {
    const table = aTable({ second: { required: [IA, IB] }, first: { required: [IB, IA] } })
    expect(answer([table], { required: [IB, IB] })).toEqual(['first'])
  })

  test('prefers what provides no more than is asked, then the first by name', () => {
    expect(answer([aTable({ more: { provided: IQ }, exact: {} })], {})).toEqual(['exact'])
    const two = aTable({ r: { provided: IR }, q: { provided: IQ } })
    expect(answer([two], {})).toEqual(['q'])
  })

  test('lets the nearer table win, however general its row', () => {
    const near = aTable({ near: { required: [IA], provided: IQ } })
    const far = aTable({ far: { required: [IB] } })
    expect(answer([near, far], {})).toEqual(['near'])
    expect(answer([aTable({}), far], {})).toEqual(['far'])
  })

  test('answers with nothing when nothing fits', () => {
    const table = aTable({ other: { name: 'other' }, pair: { required: [IA, IA] } })
    expect(answer([table], {})).toEqual([])
    expect(answer([], {})).toEqual([])
  })

  test('gives subscribers from far to near, in each from general to specific, as registered', () => {
    const kind = 'subscriber'
    const near = aTable({ near: { kind } })
    const far = aTable({
      specific: { kind, required: [IB] },
      general1: { kind },
      general2: { kind },
      more: { kind, provided: IQ },
    })
    expect(answer([near, far], { ask: 'subscriber' })).toEqual([
      'more',
      'general1',
      'general2',
      'specific',
      'near',
    ])
  })

  test('merges utilities by name, the nearest of each, in the order of names', () => {
    const utility = { kind: 'utility', required: [] } as const
    const near = aTable({ nearB: { ...utility, name: 'b' } })
    const far = aTable({ farB: { ...utility, name: 'b' }, farA: { ...utility, name: 'a' } })
    const question = { ask: 'utilities', required: [] } as const
    expect(answer([near, far], question)).toEqual(['farA', 'nearB'])
  })

  test('gives all utilities from far to near, each once in a table', () => {
    const utility = { kind: 'utility', required: [] } as const
    const near = aTable({ shared: { ...utility, name: 'near' } })
    const far = aTable({
      shared: { ...utility, name: 'b' },
      first: { ...utility, name: 'a' },
    })
    far.add({ ...utility, provided: IP, name: 'c', component: 'shared', info: '' })
    const question = { ask: 'allUtilities', required: [] } as const
    expect(answer([near, far], question)).toEqual(['first', 'shared', 'shared'])
  })
})
