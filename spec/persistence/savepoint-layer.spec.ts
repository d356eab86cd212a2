import { describe, expect, test } from '@jest/globals'
import { OpaqueCopy } from '../../lib/persistence/opaque-copies.js'
import { slotsOf } from '../../lib/persistence/persistent.js'
import { NOT_ADDED, SavepointLayer } from '../../lib/persistence/savepoint-layer.js'
import { Employee } from '../support/persistence-builders.js'

const titleIn = (image: unknown): unknown => (image as { values: unknown[] }).values[0]

// What rollbacks do with it: working-set.spec.ts.
describe('Savepoint layer', () => {
  test('keeps what an object was when it is first written', () => {
    const layer = new SavepointLayer()
    const bob = new Employee({ title: 'one' })
    const slots = slotsOf(bob)
    layer.keep(bob, slots)
    slots.values = slots.values.slice()
    bob.title = 'two'
    layer.keep(bob, slots)
    expect([...layer.images().values()].map(titleIn)).toEqual(['one'])
  })

  test('gives what stood at its savepoint, from all later ones as well', () => {
    const first = new SavepointLayer()
    const [bob, ann, eve] = ['bob', 'ann', 'eve'].map((title) => new Employee({ title }))
    first.keep(bob!, slotsOf(bob!))
    const second = first.succeed()
    slotsOf(bob!).values = ['later']
    second.keep(bob!, slotsOf(bob!))
    second.keep(ann!, slotsOf(ann!))
    second.keepNotAdded(eve!)
    const seen = (layer: SavepointLayer) =>
      [...layer.images().values()].map((image) => (image === NOT_ADDED ? 'new' : titleIn(image)))
    expect([seen(first), seen(second)]).toEqual([
      ['bob', 'ann', 'new'],
      ['later', 'ann', 'new'],
    ])
    first.reset()
    expect(seen(first)).toEqual([])
  })

  test('gives what copies held, of which only later savepoints know', () => {
    const copy = new OpaqueCopy(new Date(1), new Date(1))
    const first = new SavepointLayer()
    first.keepCopy(copy, new Date(0))
    expect(first.copies().size).toBe(0)
    const second = first.succeed()
    second.keepCopy(copy, new Date(1))
    second.succeed().keepCopy(copy, new Date(2))
    expect([first.copies().get(copy), second.copies().get(copy)]).toEqual([
      new Date(1),
      new Date(2),
    ])
  })
})
