import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Fifo } from '../../lib/webhooks/fifo.js'

describe('Fifo', () => {
  test('it gives what an array gives, for any sequence of calls', () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(fc.nat(), { nil: undefined }), { maxLength: 500 }),
        (steps) => {
          const fifo = new Fifo<number>()
          const model: number[] = []
          for (const step of steps) {
            if (step === undefined) {
              expect(fifo.shift()).toBe(model.shift())
            } else {
              model.push(step)
              fifo.push(step)
            }
            expect(fifo.size).toBe(model.length)
          }
        },
      ),
    )
  })

  test('many pass through', () => {
    const fifo = new Fifo<number>()
    for (let i = 0; i < 100_000; i++) fifo.push(i)
    for (let i = 0; i < 100_000; i++) expect(fifo.shift() === i).toBe(true)
    expect(fifo.size).toBe(0)
  })

  test('after clear it is empty', () => {
    const fifo = new Fifo<number>()
    fifo.push(1)
    fifo.clear()
    expect([fifo.size, fifo.shift()]).toEqual([0, undefined])
  })
})
