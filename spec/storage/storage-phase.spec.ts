import { describe, expect, test } from '@jest/globals'
import { OutcomeUnknownError } from '../../lib/storage/index.js'
import { StoragePhase } from '../../lib/storage/storage-phase.js'
import { codeThrownBy, errorOf } from '../support/storage-builders.js'

const nothing = async (): Promise<void> => undefined

function aPhase({ isReadOnly = false } = {}): StoragePhase {
  return new StoragePhase('here', { isReadOnly })
}

async function anOpenOne(): Promise<StoragePhase> {
  const phase = aPhase()
  await phase.open(nothing)
  return phase
}

/** Work that ends when the spec says so. */
function work() {
  let end = (_error?: Error): void => undefined
  const done = new Promise<void>((resolve, reject) => {
    end = (error) => (error === undefined ? resolve() : reject(error))
  })
  return { run: () => done, end: (error?: Error) => end(error) }
}

describe('The phase of a storage', () => {
  test('before it is opened nothing is read or written', async () => {
    const phase = aPhase()
    expect(phase.isOpen).toBe(false)
    for (const call of [() => phase.assertOpen(), () => phase.write(nothing)]) {
      const error = await errorOf(call)
      expect(error).toMatchObject({ code: 'STORAGE_CLOSED', details: { location: 'here' } })
      expect(error.message).toContain('is not open yet')
    }
  })

  test('it is opened once, and again when that failed', async () => {
    const phase = aPhase()
    const failing = phase.open(() => Promise.reject(new Error('no')))
    expect(await codeThrownBy(() => phase.open(nothing))).toMatch(/InvariantError/)
    await expect(failing).rejects.toThrow('no')
    await phase.open(nothing)
    expect(phase.isOpen).toBe(true)
    expect(await codeThrownBy(() => phase.open(nothing))).toMatch(/InvariantError/)
  })

  test('one write goes on at a time, and is read beside', async () => {
    const phase = await anOpenOne()
    const { run, end } = work()
    const writing = phase.write(run)
    expect(phase.isOpen).toBe(true)
    phase.assertSound()
    expect(await codeThrownBy(() => phase.write(nothing))).toMatch(/InvariantError/)
    end()
    await writing
    await phase.write(nothing)
  })

  test('a write that failed without doubt may be followed by others', async () => {
    const phase = await anOpenOne()
    await expect(phase.write(() => Promise.reject(new Error('refused')))).rejects.toThrow('refused')
    await phase.write(nothing)
  })

  test.each(['idle', 'writing'])('in doubt, nothing more is written: it was %s', async (was) => {
    const phase = await anOpenOne()
    const failure = new OutcomeUnknownError('in doubt')
    if (was === 'idle') phase.fail(failure)
    else {
      const writing = phase.write(async () => {
        phase.fail(failure)
        throw failure
      })
      await expect(writing).rejects.toBe(failure)
    }
    expect([phase.isOpen, phase.failure]).toEqual([true, failure])
    for (const call of [() => phase.write(nothing), () => phase.assertSound()]) {
      expect(await errorOf(call)).toMatchObject({ code: 'STORAGE_CLOSED', cause: failure })
    }
    phase.assertOpen()
  })

  test('opened for reading, it refuses writes', async () => {
    const phase = aPhase({ isReadOnly: true })
    await phase.open(nothing)
    for (const call of [() => phase.write(nothing), () => phase.assertSound()]) {
      expect(await codeThrownBy(call)).toBe('STORAGE_READ_ONLY')
    }
  })

  test.each(['opening', 'writing'])('closing waits while it is %s', async (what) => {
    const phase = what === 'opening' ? aPhase() : await anOpenOne()
    const { run, end } = work()
    const busy = what === 'opening' ? phase.open(run) : phase.write(run)
    const closing = phase.close()
    expect(phase.isOpen).toBe(what === 'writing')
    end()
    await busy
    expect(await closing).toBe(true)
    expect(phase.isOpen).toBe(false)
  })

  test('closed, it stays closed', async () => {
    const phase = aPhase()
    expect(await phase.close()).toBe(false)
    expect(await phase.close()).toBe(false)
    for (const call of [() => phase.open(nothing), () => phase.write(nothing)]) {
      const error = await errorOf(call)
      expect(error).toMatchObject({ code: 'STORAGE_CLOSED' })
      expect(error.message).toContain('is closed')
    }
  })
})
