import { describe, expect, test } from '@jest/globals'
import { IObjectEvent, ObjectEvent, verifyObject } from '../../lib/component/index.js'

describe('Object event', () => {
  test('keeps the promise of its interface', () => {
    const office = { name: 'Norman' }
    expect(verifyObject(IObjectEvent, new ObjectEvent(office)).object).toBe(office)
  })

  test('passes its interface on to events that extend it', () => {
    class OfficeClosed extends ObjectEvent<string> {}
    expect(IObjectEvent.providedBy(new OfficeClosed('Norman'))).toBe(true)
  })
})
