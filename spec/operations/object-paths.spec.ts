import { describe, expect, test } from '@jest/globals'
import { ObjectPaths } from '../../lib/operations/object-paths.js'
import { Parents } from '../../lib/operations/parents.js'
import type { StoredObject, StoredStep } from '../../lib/persistence/index.js'
import { type Oid, toOid } from '../../lib/storage/index.js'

interface Told {
  readonly place?: { readonly parent: number; readonly name: string }
  readonly steps?: Readonly<Record<number, StoredStep>>
  readonly isNode?: boolean
}

/** Paths among objects that are given by hand; each leads on as its steps say. */
function pathsAmong(objects: Readonly<Record<number, Told>>): (oid: number) => string | undefined {
  const parents = new Parents()
  for (const [oid, { steps = {} }] of Object.entries(objects)) {
    for (const child of Object.keys(steps))
      parents.note(toOid(Number(child)), toOid(Number(oid)), true)
  }
  const paths = new ObjectPaths(parents, (oid) => {
    const told = objects[oid]
    if (told === undefined) return undefined
    const { place, steps = {}, isNode = false } = told
    return { place, isNode, stepTo: (to: Oid) => steps[to] } as unknown as StoredObject
  })
  return (oid) => paths.pathOf(toOid(oid))
}

describe('The path of an object', () => {
  test('is the one that it gives itself, from the root folder', () => {
    const pathOf = pathsAmong({
      0: { steps: { 1: { key: 'root' } } },
      1: { steps: { 2: { key: 'NOAA' } } },
      2: { place: { parent: 1, name: 'NOAA' } },
      3: { place: { parent: 2, name: 'a/b%' } },
    })
    expect([1, 2, 3].map(pathOf)).toEqual(['/', '/NOAA', '/NOAA/a%2Fb%25'])
  })

  test('of one that cannot be read is told by what leads there: keys, fields, nodes of trees', () => {
    const pathOf = pathsAmong({
      0: { steps: { 1: { key: 'root' }, 9: { key: 'other' } } },
      1: { steps: { 2: 'node' } },
      2: { isNode: true, steps: { 3: 'node', 5: { key: 'Bob' } } },
      3: { isNode: true, steps: { 4: { key: ['x', 7n] } } },
      4: { steps: { 6: { field: 'boss' } } },
    })
    expect([2, 3, 4, 5, 6, 9].map(pathOf)).toEqual([
      '/.__tree__',
      '/.__tree__',
      '/[x,7]',
      '/Bob',
      '/[x,7].boss',
      'rootMapping/other',
    ])
  })

  test('is none where nothing leads, or only in a circle', () => {
    const pathOf = pathsAmong({
      5: { steps: { 6: { field: 'one' } } },
      6: { steps: { 5: { field: 'other' } }, place: { parent: 5, name: 'x' } },
    })
    expect([5, 6, 77].map(pathOf)).toEqual([undefined, undefined, undefined])
  })
})
