import { describe, test } from '@jest/globals'
import { expectTypeOf } from 'expect-type'
import {
  ComponentRegistry,
  defineInterface,
  getAdapter,
  getAdapters,
  getUtilitiesFor,
  getUtility,
  type Interface,
  type IObjectEvent,
  implementer,
  nameComponent,
  ObjectEvent,
  queryAdapter,
  queryMultiAdapter,
  queryUtility,
  subscribers,
  verifyObject,
} from '../../lib/component/index.js'

interface IMailer {
  send(text: string): void
}
const IMailer = defineInterface<IMailer>('types.IMailer', { members: ['send'] })

interface IReport {
  readonly title: string
}
const IReport = defineInterface<IReport>('types.IReport')

/** Checked by the compiler, never run. */
function neverRun(_body: () => void): void {}

describe('Component types', () => {
  test('a token and its type share one name', () => {
    expectTypeOf(IMailer).toEqualTypeOf<Interface<IMailer>>()
    expectTypeOf<Interface<IMailer>>().toExtend<Interface>()
    expectTypeOf<Interface>().not.toExtend<Interface<IMailer>>()
  })

  test('lookups give what the token stands for', () => {
    neverRun(() => {
      expectTypeOf(getUtility(IMailer)).toEqualTypeOf<IMailer>()
      expectTypeOf(queryUtility(IMailer)).toEqualTypeOf<IMailer | undefined>()
      expectTypeOf(getAdapter({}, IReport)).toEqualTypeOf<IReport>()
      expectTypeOf(queryAdapter({}, IReport)).toEqualTypeOf<IReport | undefined>()
      expectTypeOf(queryMultiAdapter([], IReport)).toEqualTypeOf<IReport | undefined>()
      expectTypeOf(subscribers([], IReport)).toEqualTypeOf<IReport[]>()
      expectTypeOf(getUtilitiesFor(IMailer)[0]).toEqualTypeOf<
        readonly [name: string, utility: IMailer] | undefined
      >()
      expectTypeOf(getAdapters([], IReport)).toEqualTypeOf<
        readonly (readonly [name: string, adapter: IReport])[]
      >()
      expectTypeOf(verifyObject(IMailer, {})).toEqualTypeOf<IMailer>()
    })
  })

  test('asking a token narrows the object', () => {
    neverRun(() => {
      const object: unknown = {}
      if (IReport.providedBy(object)) expectTypeOf(object).toEqualTypeOf<IReport>()
    })
  })

  test('factories and handlers are called with what they require', () => {
    class Office {
      readonly rooms = 3
    }
    neverRun(() => {
      const registry = new ComponentRegistry({ name: 'typed' })
      registry.registerAdapter(
        (office, mailer) => {
          expectTypeOf(office).toEqualTypeOf<Office>()
          expectTypeOf(mailer).toEqualTypeOf<IMailer>()
          return { title: 'report' }
        },
        { adapts: [Office, IMailer], provides: IReport },
      )
      registry.registerHandler(
        (office, event) => {
          expectTypeOf(office).toEqualTypeOf<Office>()
          expectTypeOf(event).toEqualTypeOf<ObjectEvent<unknown>>()
        },
        { for: [Office, ObjectEvent] },
      )
      expectTypeOf(registry.getUtility(IMailer)).toEqualTypeOf<IMailer>()
      expectTypeOf(registry.queryAdapter({}, IReport)).toEqualTypeOf<IReport | undefined>()
      expectTypeOf(registry.lookup([IMailer], IReport)).toEqualTypeOf<
        ((...objects: readonly unknown[]) => IReport | undefined) | undefined
      >()
      // @ts-expect-error a factory makes what it provides
      registry.registerAdapter(() => ({ name: 'x' }), { adapts: [Office], provides: IReport })
      // @ts-expect-error a utility is what it provides
      registry.registerUtility({ title: 'x' }, { provides: IMailer })
    })
  })

  test('a named component stays what it is', () => {
    neverRun(() => {
      const reportOf = nameComponent('types.reportOf', (title: string): IReport => ({ title }))
      expectTypeOf(reportOf).toEqualTypeOf<(title: string) => IReport>()
      // @ts-expect-error nothing finds a text by its name
      nameComponent('types.text', 'text')
    })
  })

  test('a class that declares an interface has its members', () => {
    neverRun(() => {
      class Silent {}
      // @ts-expect-error send is missing
      implementer(IMailer)(Silent)
      class Hidden {
        private constructor() {}
        static make(): Hidden {
          return new Hidden()
        }
        send(): void {}
      }
      expectTypeOf(implementer(IMailer)(Hidden)).toEqualTypeOf<typeof Hidden>()
    })
  })

  test('members are named as the type names them', () => {
    neverRun(() => {
      // @ts-expect-error no such member
      defineInterface<IMailer>('types.IWrong', { members: ['sned'] })
      defineInterface('types.IUntyped', { members: ['anything'] })
    })
  })

  test('an event of an object is an object event', () => {
    expectTypeOf<ObjectEvent<string>>().toExtend<IObjectEvent>()
    expectTypeOf(new ObjectEvent('x').object).toEqualTypeOf<string>()
  })
})
