import { describe, expect, test } from '@jest/globals'
import { HookQueue } from '../../lib/transaction/hooks.js'

describe('Hook queue', () => {
  test('hooks are called in the order of their coming', async () => {
    const { queue, log } = aQueue('a', 'b')
    await queue.call()
    expect(log).toEqual(['a', 'b'])
  })

  test('a hook added by a hook runs after those already there', async () => {
    const { queue, log, add } = aQueue()
    queue.add(() => {
      log.push('a')
      add('added')
    })
    add('b')
    await queue.call()
    expect(log).toEqual(['a', 'b', 'added'])
  })

  test('a hook that waits is waited for', async () => {
    const { queue, log, add } = aQueue()
    queue.add(async () => {
      await new Promise((resolve) => setImmediate(resolve))
      log.push('slow')
    })
    add('fast')
    await queue.call()
    expect(log).toEqual(['slow', 'fast'])
  })

  test('the first error skips the rest and empties the queue', async () => {
    const { queue, log, add } = aQueue('a')
    queue.add(() => {
      throw new Error('no')
    })
    add('skipped')
    await expect(queue.call()).rejects.toThrow('no')
    await queue.call()
    expect(log).toEqual(['a'])
  })

  test('callAll reports errors and goes on, and empties the queue', async () => {
    const { queue, log, add } = aQueue('a')
    queue.add(() => Promise.reject(new Error('first')))
    add('b')
    queue.add(() => {
      throw new Error('second')
    })
    const errors: unknown[] = []
    await queue.callAll((error) => errors.push(error))
    await queue.callAll((error) => errors.push(error))
    expect(log).toEqual(['a', 'b'])
    expect(errors).toEqual([new Error('first'), new Error('second')])
  })

  test('hooks get the arguments of the call', async () => {
    const seen: boolean[] = []
    const queue = new HookQueue<[boolean]>()
    queue.add((succeeded) => void seen.push(succeeded))
    await queue.callAll(() => {}, true)
    expect(seen).toEqual([true])
  })
})

function aQueue(...names: string[]) {
  const log: string[] = []
  const queue = new HookQueue()
  const add = (name: string): void => queue.add(() => void log.push(name))
  for (const name of names) add(name)
  return { queue, log, add }
}
