import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { LateAborts } from '../../lib/transaction/late-aborts.js'

describe('Late aborts', () => {
  test('are waited for, and fail with the first error; the others are reported', async () => {
    const reported: unknown[] = []
    const aborts = new LateAborts()
    let end = (): void => undefined
    aborts.add(
      new Promise((resolve) => {
        end = resolve
      }),
    )
    aborts.add(Promise.reject(new Error('first')))
    aborts.add(Promise.reject(new Error('second')))
    await nextTurn() // a rejection that nobody listens to would end the process
    const settling = aborts.settle((error, where) => reported.push(error, where))
    end()
    await expect(settling).rejects.toThrow('first')
    expect(reported).toEqual([new Error('second'), 'abort'])
  })

  test('that go well end quietly', async () => {
    const aborts = new LateAborts()
    aborts.add(Promise.resolve())
    await aborts.settle(() => expect('nothing').toBe('reported'))
  })
})
