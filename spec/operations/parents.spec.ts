import { describe, expect, test } from '@jest/globals'
import { Parents } from '../../lib/operations/parents.js'
import { toOid } from '../../lib/storage/index.js'

const [child, neighbour, folder, other] = [toOid(5), toOid(1), toOid(2), toOid(9_000_000)]

describe('Parents', () => {
  test('keep the first that leads to an object', () => {
    const parents = new Parents()
    parents.note(child, neighbour, false)
    parents.note(child, other, false)
    expect(parents.get(child)).toBe(neighbour)
    expect(parents.get(other)).toBeUndefined()
  })

  test('prefer a tree that has the object', () => {
    const parents = new Parents()
    parents.note(child, neighbour, false)
    parents.note(child, folder, true)
    parents.note(child, other, true)
    parents.note(child, neighbour, false)
    expect(parents.get(child)).toBe(folder)
  })

  test('the object 0 can be one', () => {
    const parents = new Parents()
    parents.note(other, toOid(0), true)
    expect(parents.get(other)).toBe(0)
  })
})
