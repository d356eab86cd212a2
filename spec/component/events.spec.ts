import { describe, expect, test } from '@jest/globals'
import {
  ComponentRegistry,
  defineInterface,
  globalRegistry,
  IAny,
  IObjectEvent,
  implementer,
  notify,
  ObjectEvent,
  type Requirable,
  registryScope,
} from '../../lib/component/index.js'

const IPlace = defineInterface('test.IPlace')
const IOffice = defineInterface('test.IOffice', { extends: [IPlace] })
const IMoved = defineInterface<IObjectEvent>('test.IMoved', { extends: [IObjectEvent] })

class Office {}
implementer(IOffice)(Office)
class Moved extends ObjectEvent {}
implementer(IMoved)(Moved)

/** Registers a handler that writes down its label, for each list of requirements. */
function listen(
  registry: ComponentRegistry,
  calls: string[],
  handlers: Record<string, readonly Requirable[]>,
): void {
  for (const [label, required] of Object.entries(handlers)) {
    registry.registerHandler(() => calls.push(label), { for: required })
  }
}

describe('notify', () => {
  test('calls (object, event) before event, general before specific, the object deciding', () => {
    const registry = new ComponentRegistry({ name: 'a registry' })
    const calls: string[] = []
    listen(registry, calls, {
      moved: [IMoved],
      objectEvent: [IObjectEvent],
      'office, moved': [IOffice, IMoved],
      'office, objectEvent': [IOffice, IObjectEvent],
      'place, moved': [IPlace, IMoved],
      'place, objectEvent': [IPlace, IObjectEvent],
      'any, moved': [IAny, IMoved],
    })
    registryScope.run(registry, () => notify(new Moved(new Office())))
    expect(calls).toEqual([
      'any, moved',
      'place, objectEvent',
      'place, moved',
      'office, objectEvent',
      'office, moved',
      'objectEvent',
      'moved',
    ])
  })

  test('asks the farthest registry first, for pairs and then for events', () => {
    const far = new ComponentRegistry({ name: 'far' })
    const near = new ComponentRegistry({ name: 'near', bases: [far] })
    const calls: string[] = []
    listen(near, calls, { 'near pair': [IPlace, IMoved], 'near event': [IObjectEvent] })
    listen(far, calls, { 'far pair': [IOffice, IMoved], 'far event': [IMoved] })
    registryScope.run(near, () => notify(new Moved(new Office())))
    expect(calls).toEqual(['far pair', 'near pair', 'far event', 'near event'])
  })

  test('reaches the global registry outside every scope', () => {
    class Bell {}
    const rung: unknown[] = []
    globalRegistry.registerHandler((bell) => rung.push(bell), { for: [Bell] })
    const bell = new Bell()
    notify(bell)
    expect(rung).toEqual([bell])
  })

  test('passes on what a handler throws, and calls no more', () => {
    const registry = new ComponentRegistry({ name: 'a registry' })
    const calls: string[] = []
    registry.registerHandler(
      () => {
        throw new Error('closed')
      },
      { for: [IPlace, IMoved] },
    )
    listen(registry, calls, { moved: [IMoved] })
    expect(() => registryScope.run(registry, () => notify(new Moved(new Office())))).toThrow(
      'closed',
    )
    expect(calls).toEqual([])
  })
})
