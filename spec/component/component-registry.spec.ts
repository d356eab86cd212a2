import { describe, expect, test } from '@jest/globals'
import {
  alsoProvides,
  ComponentRegistry,
  defineInterface,
  globalRegistry,
  IAny,
  IRegistrationEvent,
  implementer,
  MemoryRegistrationTable,
  providedBy,
  Registered,
  registryScope,
  specificationWith,
  Unregistered,
} from '../../lib/component/index.js'

interface IMailer {
  readonly host: string
}
const IMailer = defineInterface<IMailer>('test.IMailer')
const ISecureMailer = defineInterface<IMailer>('test.ISecureMailer', { extends: [IMailer] })
const ISize = defineInterface<{ readonly size: number }>('test.ISize')
const IContainer = defineInterface('test.IContainer')
const IFolder = defineInterface('test.IFolder', { extends: [IContainer] })

class Folder {}
implementer(IFolder)(Folder)

function aMailer(host = 'mail'): IMailer {
  return { host }
}

function aRegistry(...bases: readonly ComponentRegistry[]): ComponentRegistry {
  return new ComponentRegistry({ name: 'a registry', bases })
}

/** What is notified while `fn` runs, as words. */
function eventsOf(fn: () => void): string[] {
  const events: string[] = []
  const listening = aRegistry()
  listening.registerHandler(
    (event) => {
      const word = event instanceof Registered ? 'registered' : 'unregistered'
      events.push(`${word} ${event.object.kind} ${event.object.info}`.trim())
    },
    { for: [IRegistrationEvent] },
  )
  registryScope.run(listening, fn)
  return events
}

describe('Utilities', () => {
  test('are found by interface and name', () => {
    const registry = aRegistry()
    const [plain, spare] = [aMailer(), aMailer()]
    registry.registerUtility(plain, { provides: IMailer })
    registry.registerUtility(spare, { provides: IMailer, name: 'spare' })
    expect(registry.getUtility(IMailer)).toBe(plain)
    expect(registry.getUtility(IMailer, { name: 'spare' })).toBe(spare)
    expect(registry.queryUtility(IMailer, { name: 'other' })).toBeUndefined()
  })

  test('answer for interfaces that theirs extends', () => {
    const registry = aRegistry()
    const secure = aMailer()
    registry.registerUtility(secure, { provides: ISecureMailer })
    expect(registry.getUtility(IMailer)).toBe(secure)
    registry.registerUtility(aMailer('exact'), { provides: IMailer })
    expect(registry.getUtility(IMailer).host).toBe('exact')
    expect(registry.getUtility(ISecureMailer)).toBe(secure)
  })

  test('that are missing are named by the error', () => {
    const registry = new ComponentRegistry({ name: 'Norman', bases: [aRegistry()] })
    expect(() => registry.getUtility(IMailer, { name: 'spare' })).toThrow(
      expect.objectContaining({
        code: 'COMPONENT_LOOKUP',
        message: expect.stringContaining(
          'No utility for test.IMailer named "spare" is registered in Norman (based on a registry)',
        ),
      }),
    )
  })

  test('of the nearest registry win; all of them are there too, the farthest first', () => {
    const far = aRegistry()
    const near = aRegistry(far)
    const mailers = { farA: aMailer(), farB: aMailer(), nearB: aMailer() }
    far.registerUtility(mailers.farA, { provides: IMailer, name: 'a' })
    far.registerUtility(mailers.farB, { provides: IMailer, name: 'b' })
    near.registerUtility(mailers.nearB, { provides: IMailer, name: 'b' })
    expect(near.getUtilitiesFor(IMailer)).toEqual([
      ['a', mailers.farA],
      ['b', mailers.nearB],
    ])
    expect(near.getUtilitiesFor(IMailer)[1]![1]).toBe(mailers.nearB)
    const all = near.getAllUtilitiesRegisteredFor(IMailer)
    expect(all.map((one) => Object.values(mailers).indexOf(one))).toEqual([0, 1, 2])
  })

  test('leave when unregistered, if they are the expected one', () => {
    const registry = aRegistry()
    const mailer = aMailer()
    registry.registerUtility(mailer, { provides: ISecureMailer })
    expect(registry.unregisterUtility(mailer, { provides: IMailer })).toBe(false)
    expect(registry.unregisterUtility(aMailer(), { provides: ISecureMailer })).toBe(false)
    expect(registry.unregisterUtility(mailer, { provides: ISecureMailer })).toBe(true)
    expect(registry.queryUtility(IMailer)).toBeUndefined()
    expect(registry.unregisterUtility(undefined, { provides: ISecureMailer })).toBe(false)
  })

  test('cannot be nothing', () => {
    expect(() => aRegistry().registerUtility(undefined, { provides: IContainer })).toThrow(
      expect.objectContaining({ code: 'COMPONENT_INVALID_REGISTRATION' }),
    )
  })
})

describe('Adapters', () => {
  test('are called with the object, the most specific one', () => {
    const registry = aRegistry()
    registry.registerAdapter(() => ({ size: 1 }), { adapts: [IContainer], provides: ISize })
    registry.registerAdapter(() => ({ size: 2 }), { adapts: [IFolder], provides: ISize })
    expect(registry.getAdapter(new Folder(), ISize).size).toBe(2)
    const box = {}
    alsoProvides(box, IContainer)
    expect(registry.getAdapter(box, ISize).size).toBe(1)
    expect(registry.queryAdapter({}, ISize)).toBeUndefined()
  })

  test('for a class fit its instances and those of classes that extend it', () => {
    class Cabinet extends Folder {}
    const registry = aRegistry()
    registry.registerAdapter(() => ({ size: 3 }), { adapts: [Folder], provides: ISize })
    expect(registry.getAdapter(new Cabinet(), ISize).size).toBe(3)
    expect(registry.queryAdapter({}, ISize)).toBeUndefined()
  })

  test('for what one object provides fit the objects that provide the same', () => {
    const [one, two] = [new Folder(), new Folder()]
    alsoProvides(one!, IMailer)
    alsoProvides(two!, IMailer)
    const registry = aRegistry()
    registry.registerAdapter(() => ({ size: 4 }), { adapts: [providedBy(one)], provides: ISize })
    expect(registry.queryAdapter(two, ISize)?.size).toBe(4)
    expect(registry.queryAdapter(new Folder(), ISize)).toBeUndefined()
  })

  test('are not asked when the object provides the interface, but for a name', () => {
    const registry = aRegistry()
    const sized = { size: 9 }
    alsoProvides(sized, ISize)
    registry.registerAdapter(() => ({ size: 0 }), { adapts: [IContainer], provides: ISize })
    expect(registry.getAdapter(sized, ISize)).toBe(sized)
    expect(registry.queryAdapter(sized, ISize, { name: 'n' })).toBeUndefined()
  })

  test('may decline, and then there is none', () => {
    const registry = aRegistry()
    registry.registerAdapter(() => ({ size: 1 }), { adapts: [IContainer], provides: ISize })
    registry.registerAdapter(() => undefined, { adapts: [IFolder], provides: ISize })
    expect(registry.queryAdapter(new Folder(), ISize)).toBeUndefined()
    expect(() => registry.getAdapter(new Folder(), ISize)).toThrow(
      expect.objectContaining({
        code: 'COMPONENT_LOOKUP',
        message: expect.stringContaining('Could not adapt (class Folder) to test.ISize'),
      }),
    )
  })

  test('of several objects get them all', () => {
    const registry = aRegistry()
    registry.registerAdapter((folder, mailer) => ({ size: folder ? mailer.host.length : 0 }), {
      adapts: [Folder, IMailer],
      provides: ISize,
      name: 'pair',
    })
    const mailer = aMailer('four')
    alsoProvides(mailer, IMailer)
    const objects = [new Folder(), mailer]
    expect(registry.getMultiAdapter(objects, ISize, { name: 'pair' }).size).toBe(4)
    expect(registry.queryMultiAdapter(objects, ISize)).toBeUndefined()
    expect(() => registry.getMultiAdapter(objects.toReversed(), ISize, { name: 'pair' })).toThrow(
      expect.objectContaining({ code: 'COMPONENT_LOOKUP' }),
    )
  })

  test('of all names are found together, by name, the nearest of each', () => {
    const far = aRegistry()
    const near = aRegistry(far)
    class Office {}
    const adapts = [Office]
    far.registerAdapter(() => aMailer('far b'), { adapts, provides: ISecureMailer, name: 'b' })
    far.registerAdapter(() => aMailer('far a'), { adapts, provides: IMailer, name: 'a' })
    near.registerAdapter(() => aMailer('near a'), { adapts: [IAny], provides: IMailer, name: 'a' })
    near.registerAdapter(() => undefined, { adapts, provides: IMailer, name: 'c' })
    const found = near.getAdapters([new Office()], IMailer)
    expect(found.map(([name, { host }]) => [name, host])).toEqual([
      ['a', 'near a'],
      ['b', 'far b'],
    ])
    expect(near.getAdapters([], IMailer)).toEqual([])
  })

  test('are looked up by what objects would provide, and then not called', () => {
    const registry = aRegistry()
    const plain = () => aMailer('plain')
    const named = () => aMailer('named')
    const ofTwo = () => aMailer('two')
    registry.registerAdapter(plain, { adapts: [IAny], provides: ISecureMailer })
    registry.registerAdapter(named, { adapts: [IMailer], provides: IMailer, name: 'n' })
    registry.registerAdapter(ofTwo, { adapts: [IAny, ISecureMailer], provides: IMailer })
    const both = specificationWith(Object, [ISecureMailer])
    expect(registry.lookup([both], IMailer)).toBe(plain)
    expect(registry.lookup([both], IMailer, { name: 'n' })).toBe(named)
    expect(registry.lookup([IAny], IMailer, { name: 'n' })).toBeUndefined()
    expect(registry.lookup([IAny, both], IMailer)).toBe(ofTwo)
    expect(registry.lookup([both, IAny], IMailer)).toBeUndefined()
  })

  test('of the nearest registry win, however general', () => {
    const far = aRegistry()
    const near = aRegistry(far)
    far.registerAdapter(() => ({ size: 1 }), { adapts: [Folder], provides: ISize })
    expect(near.getAdapter(new Folder(), ISize).size).toBe(1)
    near.registerAdapter(() => ({ size: 2 }), { adapts: [IContainer], provides: ISize })
    expect(near.getAdapter(new Folder(), ISize).size).toBe(2)
  })

  test('leave when unregistered', () => {
    const registry = aRegistry()
    const factory = () => ({ size: 1 })
    const place = { adapts: [IFolder], provides: ISize }
    registry.registerAdapter(factory, place)
    expect(registry.unregisterAdapter(factory, { ...place, adapts: [IContainer] })).toBe(false)
    expect(registry.unregisterAdapter(() => 1, place)).toBe(false)
    expect(registry.unregisterAdapter(factory, place)).toBe(true)
    expect(registry.queryAdapter(new Folder(), ISize)).toBeUndefined()
  })
})

describe('Subscribers', () => {
  test('all answer, general ones first, without those that decline', () => {
    const registry = aRegistry()
    const add = (size: number | undefined, adapts: typeof IFolder): void =>
      registry.registerSubscriber(() => (size === undefined ? undefined : { size }), {
        adapts: [adapts],
        provides: ISize,
      })
    add(3, IFolder)
    add(undefined, IFolder)
    add(1, IContainer)
    add(2, IContainer)
    const sizes = registry.subscribers([new Folder()], ISize).map(({ size }) => size)
    expect(sizes).toEqual([1, 2, 3])
  })

  test('registered twice answer twice, and leave together', () => {
    const registry = aRegistry()
    const factory = () => ({ size: 1 })
    const place = { adapts: [IFolder], provides: ISize } as const
    registry.registerSubscriber(factory, place)
    registry.registerSubscriber(factory, place)
    registry.registerSubscriber(() => ({ size: 2 }), place)
    expect(registry.subscribers([new Folder()], ISize)).toHaveLength(3)
    expect(registry.unregisterSubscriber(factory, place)).toBe(true)
    expect(registry.unregisterSubscriber(factory, place)).toBe(false)
    expect(registry.subscribers([new Folder()], ISize)).toEqual([{ size: 2 }])
    expect(registry.unregisterSubscriber(undefined, place)).toBe(true)
    expect(registry.subscribers([new Folder()], ISize)).toEqual([])
  })
})

describe('Handlers', () => {
  test('of the farthest registry are called first, in it the general ones', () => {
    const far = aRegistry()
    const near = aRegistry(far)
    const calls: string[] = []
    near.registerHandler(() => calls.push('near general'), { for: [IContainer] })
    far.registerHandler(() => calls.push('far specific'), { for: [Folder] })
    far.registerHandler(() => calls.push('far general'), { for: [IContainer] })
    near.handle(new Folder())
    expect(calls).toEqual(['far general', 'far specific', 'near general'])
  })

  test('get the objects, and no this', () => {
    const registry = aRegistry()
    const seen: unknown[] = []
    registry.registerHandler(
      function (this: unknown, ...objects: readonly unknown[]) {
        seen.push(this, ...objects)
      },
      { for: [IFolder, IMailer] },
    )
    const [folder, mailer] = [new Folder(), aMailer()]
    alsoProvides(mailer, IMailer)
    registry.handle(folder, mailer)
    registry.handle(mailer, folder)
    expect(seen).toEqual([undefined, folder, mailer])
  })

  test('that throw end the call', () => {
    const registry = aRegistry()
    const calls: string[] = []
    registry.registerHandler(
      () => {
        throw new Error('no')
      },
      { for: [IFolder] },
    )
    registry.registerHandler(() => calls.push('later'), { for: [IFolder] })
    expect(() => registry.handle(new Folder())).toThrow('no')
    expect(calls).toEqual([])
  })

  test('registered by a handler are not called for what is being handled', () => {
    const registry = aRegistry()
    const calls: string[] = []
    registry.registerHandler(
      () => registry.registerHandler(() => calls.push('late'), { for: [IFolder] }),
      { for: [IFolder] },
    )
    registry.handle(new Folder())
    expect(calls).toEqual([])
    registry.handle(new Folder())
    expect(calls).toEqual(['late'])
  })

  test('leave when unregistered', () => {
    const registry = aRegistry()
    const handler = () => undefined
    registry.registerHandler(handler, { for: [IFolder] })
    expect(registry.unregisterHandler(handler, { for: [IContainer] })).toBe(false)
    expect(registry.unregisterHandler(handler, { for: [IFolder] })).toBe(true)
    expect([...registry.registrations()]).toEqual([])
  })
})

describe('Bases', () => {
  test('can be changed, and lookups see it', () => {
    const [one, two] = [aRegistry(), aRegistry()]
    one.registerUtility(aMailer('one'), { provides: IMailer })
    two.registerUtility(aMailer('two'), { provides: IMailer })
    const middle = aRegistry(one)
    const registry = aRegistry(middle)
    expect(registry.getUtility(IMailer).host).toBe('one')
    middle.bases = [two, one]
    expect(registry.getUtility(IMailer).host).toBe('two')
    expect(registry.chain).toEqual([registry, middle, two, one])
    middle.bases = []
    expect(registry.queryUtility(IMailer)).toBeUndefined()
  })

  test('kept elsewhere are asked again when the table moves', () => {
    const base = aRegistry()
    base.registerUtility(aMailer('base'), { provides: IMailer })
    const kept: ComponentRegistry[] = []
    const table = Object.assign(new MemoryRegistrationTable(), { watch: { stamp: 0 } })
    const registry = new ComponentRegistry({ name: 'site', bases: () => kept, table })
    const above = aRegistry(registry)
    expect(above.queryUtility(IMailer)).toBeUndefined()
    kept.push(base)
    table.watch.stamp += 1
    expect(above.getUtility(IMailer).host).toBe('base')
  })

  test('do not lead back to the registry', () => {
    const one = aRegistry()
    const two = aRegistry(one)
    for (const bases of [[two], [one]]) {
      expect(() => {
        one.bases = bases
      }).toThrow(expect.objectContaining({ code: 'COMPONENT_INVALID_REGISTRATION' }))
    }
    expect(one.bases).toEqual([])
  })
})

describe('Registrations', () => {
  test('are listed for the registry itself', () => {
    const base = aRegistry()
    base.registerUtility(aMailer(), { provides: IMailer })
    const registry = aRegistry(base)
    registry.registerUtility(aMailer(), { provides: IMailer, name: 'n', info: 'by hand' })
    registry.registerHandler(() => undefined, { for: [IFolder] })
    expect([...registry.registrations()].map(({ kind, info }) => [kind, info])).toEqual([
      ['utility', 'by hand'],
      ['handler', ''],
    ])
  })

  test('are notified, replacing as one out and one in, the same again not at all', () => {
    const registry = aRegistry()
    const mailer = aMailer()
    const events = eventsOf(() => {
      registry.registerUtility(mailer, { provides: IMailer, info: '1' })
      registry.registerUtility(mailer, { provides: IMailer, info: '1' })
      registry.registerUtility(aMailer(), { provides: IMailer, info: '2' })
      registry.unregisterUtility(undefined, { provides: IMailer })
      registry.unregisterUtility(undefined, { provides: IMailer })
    })
    expect(events).toEqual([
      'registered utility 1',
      'unregistered utility 1',
      'registered utility 2',
      'unregistered utility 2',
    ])
  })

  test('of every kind are notified', () => {
    const registry = aRegistry()
    const factory = () => ({ size: 1 })
    const place = { adapts: [IFolder], provides: ISize } as const
    const events = eventsOf(() => {
      registry.registerAdapter(factory, place)
      registry.registerAdapter(factory, place)
      registry.registerSubscriber(factory, place)
      registry.registerHandler(factory, { for: [IFolder] })
      registry.unregisterAdapter(factory, place)
      registry.unregisterSubscriber(factory, place)
      registry.unregisterHandler(factory, { for: [IFolder] })
    })
    expect(events).toEqual([
      'registered adapter',
      'registered subscriber',
      'registered handler',
      'unregistered adapter',
      'unregistered subscriber',
      'unregistered handler',
    ])
  })

  test('are notified to the global registry outside every scope, with their registry', () => {
    const registry = aRegistry()
    const seen: unknown[] = []
    const handler = (event: { readonly registry: object }) => seen.push(event.registry, event)
    globalRegistry.registerHandler(handler, { for: [IRegistrationEvent] })
    seen.length = 0
    registry.registerUtility(aMailer(), { provides: IMailer })
    registry.unregisterUtility(undefined, { provides: IMailer })
    globalRegistry.unregisterHandler(handler, { for: [IRegistrationEvent] })
    expect(seen).toEqual([registry, expect.any(Registered), registry, expect.any(Unregistered)])
  })
})

describe('hasHandlers', () => {
  test('says whether handle would call anybody, also a handler of a base', () => {
    class Letter {}
    const base = aRegistry()
    const registry = new ComponentRegistry({ name: 'a site', bases: [base] })
    expect(registry.hasHandlers(new Letter())).toBe(false)
    const handler = (): void => {}
    base.registerHandler(handler, { for: [Letter] })
    expect([registry.hasHandlers(new Letter()), registry.hasHandlers({})]).toEqual([true, false])
    base.unregisterHandler(handler, { for: [Letter] })
    expect(registry.hasHandlers(new Letter())).toBe(false)
  })
})
