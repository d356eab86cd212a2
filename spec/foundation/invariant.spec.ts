import { describe, expect, test } from '@jest/globals'
import { InvariantError, invariant, TreehookError } from '../../lib/foundation/index.js'

describe('invariant', () => {
  test('does nothing when the condition holds', () => {
    expect(() => invariant(1 > 0, 'one is more than zero')).not.toThrow()
  })

  test('throws what must hold, as an error of our own making', () => {
    const fail = (): void => invariant(false, 'the writer is alone')
    expect(fail).toThrow(InvariantError)
    expect(fail).toThrow('the writer is alone')
    expect(fail).not.toThrow(TreehookError)
  })
})
