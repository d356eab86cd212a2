import { describe, expect, test } from '@jest/globals'
import {
  ComponentRegistry,
  IAny,
  IObjectEvent,
  IRegistered,
  IUnregistered,
  Registered,
  type Registration,
  Unregistered,
  verifyObject,
} from '../../lib/component/index.js'

const row: Registration = {
  kind: 'utility',
  required: [],
  provided: IAny,
  name: '',
  component: {},
  info: '',
}
const registry = new ComponentRegistry({ name: 'a registry' })

describe('Registration events', () => {
  test('are object events of the row, with its registry', () => {
    const event = verifyObject(IRegistered, new Registered(row, registry))
    expect(event).toMatchObject({ object: row, registry })
    expect(IObjectEvent.providedBy(event)).toBe(true)
  })

  test('tell coming from going', () => {
    verifyObject(IUnregistered, new Unregistered(row, registry))
    expect(IRegistered.implementedBy(Unregistered)).toBe(false)
    expect(IUnregistered.implementedBy(Registered)).toBe(false)
  })
})
