import { describe, expect, test } from '@jest/globals'
import { grantChanges, principalChanges } from '../../lib/security/changes.js'

describe('Changes', () => {
  test('rise, each on its own', () => {
    const [grants, principals] = [grantChanges.stamp, principalChanges.stamp]
    grantChanges.raise()
    expect(grantChanges.stamp).toBeGreaterThan(grants)
    expect(principalChanges.stamp).toBe(principals)
  })
})
