import { describe, expect, test } from '@jest/globals'
import { AsyncScope, Deferred, InvariantError } from '../../lib/foundation/index.js'

describe('A deferred outcome', () => {
  test('its listener is called in the step in which it comes', () => {
    const outcome = new Deferred()
    const log: string[] = []
    outcome.then(() => log.push('came'))
    expect(log).toEqual([])
    outcome.resolve()
    expect(log).toEqual(['came'])
  })

  test('who listens later hears of it at once', () => {
    const failed = new Deferred()
    failed.reject('no')
    const log: unknown[] = []
    failed.then(
      () => log.push('came'),
      (error) => log.push(error),
    )
    expect(log).toEqual(['no'])
  })

  test('it can be awaited', async () => {
    const outcome = new Deferred()
    setImmediate(() => outcome.resolve())
    expect(await outcome).toBe(undefined)
    const failed = new Deferred()
    failed.reject(new Error('no'))
    await expect(async () => await failed).rejects.toThrow('no')
  })

  test('the listener is called in the scopes in which it listened', () => {
    const scope = new AsyncScope<string>()
    const outcome = new Deferred()
    const seen: unknown[] = []
    scope.run('listening', () => outcome.then(() => seen.push(scope.current())))
    scope.run('settling', () => {
      outcome.resolve()
      seen.push(scope.current())
    })
    expect(seen).toEqual(['listening', 'settling'])
  })

  test('it comes once, to one listener', () => {
    const outcome = new Deferred()
    outcome.then(() => {})
    expect(() => outcome.then(() => {})).toThrow(InvariantError)
    outcome.resolve()
    expect(() => outcome.resolve()).toThrow(InvariantError)
  })
})
