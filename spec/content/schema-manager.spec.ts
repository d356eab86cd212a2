import { describe, expect, test } from '@jest/globals'
import { checkedSchemas, type SchemaManager } from '../../lib/content/schema-manager.js'
import { codeOfThrown } from '../support/content-builders.js'

const step = (): void => {}

describe('A schema manager', () => {
  test('has no minimum, steps or install unless it says so', () => {
    expect(checkedSchemas([{ name: 'shop', generation: 0 }])).toEqual([
      {
        name: 'shop',
        generation: 0,
        minimumGeneration: 0,
        steps: new Map(),
        install: undefined,
        unrecordedGeneration: undefined,
      },
    ])
  })

  test('has its steps in rising order, ten after nine', () => {
    const steps = Object.fromEntries(Array.from({ length: 10 }, (_, n) => [n + 1, step]))
    const [checked] = checkedSchemas([{ name: 'shop', generation: 10, steps }])
    expect([...checked!.steps.keys()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  test('may have forgotten the first steps', () => {
    const [checked] = checkedSchemas([{ name: 'shop', generation: 7, steps: { 6: step, 7: step } }])
    expect([...checked!.steps.keys()]).toEqual([6, 7])
  })

  test.each<[string, Partial<SchemaManager>]>([
    ['a negative generation', { generation: -1 }],
    ['a generation that is no whole number', { generation: 1.5 }],
    ['a generation that is text', { generation: '1' as never }],
    ['a negative minimum', { minimumGeneration: -1 }],
    ['a minimum above the generation', { minimumGeneration: 4 }],
    ['older data above the generation', { unrecordedGeneration: 4 }],
    ['no name', { name: '' }],
    ['a step to generation 0', { generation: 1, steps: { 0: step, 1: step } }],
    ['a step beyond the generation', { steps: { 3: step, 4: step } }],
    ['no step to the generation', { steps: { 1: step, 2: step } }],
    ['a gap between steps', { steps: { 1: step, 3: step } }],
    ['a step that is named', { steps: { first: step } as never }],
    ['a step that does nothing', { steps: { 3: {} as never } }],
    ['a step of two kinds', { steps: { 3: { run: step, batch: step } as never } }],
    ['an install that is no function', { install: 'yes' as never }],
  ])('with %s is refused', (_, wrong) => {
    const manager = { name: 'shop', generation: 3, ...wrong }
    expect(codeOfThrown(() => checkedSchemas([manager]))).toBe('CONTENT_INVALID_SCHEMA')
  })

  test('has a name of its own', () => {
    const one = { name: 'shop', generation: 1 }
    expect(codeOfThrown(() => checkedSchemas([one, one]))).toBe('CONTENT_INVALID_SCHEMA')
  })
})
