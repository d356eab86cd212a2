import { describe, expect, test } from '@jest/globals'
import { HeldRemovals } from '../../lib/storage/held-removals.js'

describe('A removal', () => {
  test('happens at once when nobody holds', async () => {
    const gone: string[] = []
    await new HeldRemovals(async (name) => void gone.push(name)).add('a')
    expect(gone).toEqual(['a'])
  })

  test('waits until the last holder has let go', async () => {
    const gone: string[] = []
    const removals = new HeldRemovals(async (name) => void gone.push(name))
    const [one, other] = [removals.hold(), removals.hold()]
    await removals.add('a')
    await other()
    await other()
    expect(gone).toEqual([])
    await one()
    expect(gone).toEqual(['a'])
  })
})
