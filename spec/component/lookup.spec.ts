import { afterEach, describe, expect, test } from '@jest/globals'
import {
  alsoProvides,
  ComponentRegistry,
  currentRegistry,
  defineInterface,
  getAdapter,
  getAdapters,
  getAllUtilitiesRegisteredFor,
  getMultiAdapter,
  getUtilitiesFor,
  getUtility,
  globalRegistry,
  handle,
  queryAdapter,
  queryMultiAdapter,
  queryUtility,
  registryScope,
  setContextLookup,
  subscribers,
} from '../../lib/component/index.js'

interface ILabel {
  readonly text: string
}
const ILabel = defineInterface<ILabel>('test.ILabel')
const IPlace = defineInterface('test.IPlace')

/** A registry that has one of each, all saying `text`. */
function aRegistry(text: string): ComponentRegistry {
  const registry = new ComponentRegistry({ name: text, bases: [globalRegistry] })
  const factory = () => ({ text })
  registry.registerUtility({ text }, { provides: ILabel, name: 'n' })
  registry.registerAdapter(factory, { adapts: [IPlace], provides: ILabel, name: 'n' })
  registry.registerAdapter(factory, { adapts: [IPlace, IPlace], provides: ILabel, name: 'n' })
  registry.registerSubscriber(factory, { adapts: [IPlace], provides: ILabel })
  return registry
}

const place = {}
alsoProvides(place, IPlace)
const pair = [place, place]

/** What each function finds there. */
function everyLookup(options: { readonly context?: unknown }): unknown[] {
  const named = { ...options, name: 'n' }
  return [
    getUtility(ILabel, named).text,
    queryUtility(ILabel, named)?.text,
    getUtilitiesFor(ILabel, options)[0]?.[1].text,
    getAllUtilitiesRegisteredFor(ILabel, options)[0]?.text,
    getAdapter(place, ILabel, named).text,
    queryAdapter(place, ILabel, named)?.text,
    getAdapters([place], ILabel, options)[0]?.[1].text,
    getMultiAdapter(pair, ILabel, named).text,
    queryMultiAdapter(pair, ILabel, named)?.text,
    subscribers([place], ILabel, options)[0]?.text,
  ]
}

afterEach(() => setContextLookup(undefined))

describe('Lookup', () => {
  test('goes to the registry of this call, across await, else to the global one', async () => {
    const registry = aRegistry('here')
    expect(currentRegistry()).toBe(globalRegistry)
    await registryScope.run(registry, async () => {
      await Promise.resolve()
      expect(currentRegistry()).toBe(registry)
      expect(everyLookup({})).toEqual(Array(10).fill('here'))
    })
    expect(queryUtility(ILabel, { name: 'n' })).toBeUndefined()
  })

  test('goes to a registry given as context', () => {
    const [here, there] = [aRegistry('here'), aRegistry('there')]
    registryScope.run(here, () => {
      expect(everyLookup({ context: there })).toEqual(Array(10).fill('there'))
    })
  })

  test('goes where the context leads, and to the global registry when it leads nowhere', () => {
    const [here, there] = [aRegistry('here'), aRegistry('there')]
    const located = {}
    setContextLookup((context) => (context === located ? there : undefined))
    registryScope.run(here, () => {
      expect(everyLookup({ context: located })).toEqual(Array(10).fill('there'))
      expect(queryUtility(ILabel, { name: 'n', context: {} })).toBeUndefined()
      expect(queryUtility(ILabel, { name: 'n', context: 'text' })).toBeUndefined()
      setContextLookup(undefined)
      expect(queryUtility(ILabel, { name: 'n', context: located })).toBeUndefined()
    })
  })

  test('throws from get what query leaves undefined', () => {
    for (const get of [
      () => getUtility(ILabel),
      () => getAdapter(place, ILabel),
      () => getMultiAdapter(pair, ILabel),
    ]) {
      expect(get).toThrow(expect.objectContaining({ code: 'COMPONENT_LOOKUP' }))
    }
    expect(queryUtility(ILabel)).toBeUndefined()
    expect(queryAdapter(place, ILabel)).toBeUndefined()
    expect(queryMultiAdapter(pair, ILabel)).toBeUndefined()
  })

  test('handles in the registry of this call', () => {
    const registry = aRegistry('here')
    const seen: unknown[] = []
    registry.registerHandler((...objects) => seen.push(...objects), { for: [IPlace, IPlace] })
    handle(place, place)
    expect(seen).toEqual([])
    registryScope.run(registry, () => handle(place, place))
    expect(seen).toEqual([place, place])
  })
})
