import { describe, expect, test } from '@jest/globals'
import { AsyncScope, outsideAllScopes } from '../../lib/foundation/index.js'

describe('An async scope', () => {
  test('has a value only inside run, also after an await', async () => {
    const scope = new AsyncScope<string>()
    const seen = scope.run('inner', async () => {
      await Promise.resolve()
      return scope.current()
    })
    expect(scope.current()).toBeUndefined()
    expect(await seen).toBe('inner')
    expect(scope.current()).toBeUndefined()
  })

  test('gives the innermost value, and the outer one again afterwards', () => {
    const scope = new AsyncScope<number>()
    scope.run(1, () => {
      expect(scope.run(2, () => scope.current())).toBe(2)
      expect(scope.exit(() => scope.current())).toBeUndefined()
      expect(scope.current()).toBe(1)
    })
  })

  test('knows nothing of what other scopes were given', () => {
    const one = new AsyncScope<string>()
    const other = new AsyncScope<string>()
    one.run('one', () =>
      other.run('other', () => {
        expect([one.current(), other.current()]).toEqual(['one', 'other'])
        expect(other.exit(() => [one.current(), other.current()])).toEqual(['one', undefined])
        expect(outsideAllScopes(() => [one.current(), other.current()])).toEqual([
          undefined,
          undefined,
        ])
      }),
    )
  })
})
