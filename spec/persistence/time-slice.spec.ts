import { describe, expect, test } from '@jest/globals'
import { TimeSlice } from '../../lib/persistence/time-slice.js'

describe('A time slice', () => {
  test('is over after its time, however long each step takes', () => {
    const slice = new TimeSlice({ ms: 0 })
    const answers = Array.from({ length: 64 }, () => slice.isOver)
    expect(answers).toContain(true)
  })

  test('lets other work run before it begins anew', async () => {
    const slice = new TimeSlice()
    let ran = false
    setImmediate(() => {
      ran = true
    })
    await slice.turn()
    expect(ran).toBe(true)
  })

  test('ends with the signal’s reason', async () => {
    const slice = new TimeSlice({ signal: AbortSignal.abort(new Error('enough')) })
    await expect(slice.turn()).rejects.toThrow('enough')
  })
})
