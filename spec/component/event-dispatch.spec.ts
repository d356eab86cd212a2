import { describe, expect, test } from '@jest/globals'
import { dispatchEvent } from '../../lib/component/event-dispatch.js'
import { ObjectEvent } from '../../lib/component/index.js'

function deliveries(event: object): (readonly unknown[])[] {
  const seen: (readonly unknown[])[] = []
  dispatchEvent({ handle: (...objects) => seen.push(objects) }, event)
  return seen
}

describe('Event dispatch', () => {
  test('delivers an object event with its object first, then alone', () => {
    const event = new ObjectEvent('Norman')
    expect(deliveries(event)).toEqual([['Norman', event], [event]])
  })

  test('delivers any other event alone, also one with an object', () => {
    const event = { object: 'Norman' }
    expect(deliveries(event)).toEqual([[event]])
  })
})
