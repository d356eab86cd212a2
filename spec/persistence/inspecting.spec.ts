import { inspect } from 'node:util'
import { expect, test } from '@jest/globals'
import { INSPECT } from '../../lib/persistence/inspecting.js'

test('the property is the one that Node looks for', () => {
  expect(INSPECT).toBe(inspect.custom)
})
