import { ComponentRegistry, registryScope } from '../lib/component/index.js'
import {
  Database,
  type DatabaseContext,
  defineInterface,
  field,
  getUtility,
  implementedBy,
  nameComponent,
  notify,
  ObjectModifiedEvent,
  Persistent,
  queryAdapter,
  runInSite,
  Site,
  stored,
} from '../lib/index.js'
import type { Figure, Goal } from './figure.js'
import { Employee } from './fixtures.js'
import { median, timePerCall, verify } from './harness.js'
import { heapMb } from './heap.js'
import { besideZope } from './peers/zope.js'
import type { Settings, Subject } from './subject.js'

/**
 * Look-ups with 1, 10 and 100 bases, of what the farthest one has and as they cost when they are
 * repeated; registering 30,000 components in one site; telling of an event beside handlers of other
 * kinds.
 */
export const component: Subject = {
  name: 'component',
  figures: [
    ...['component-lookup', 'component-utility', 'component-adapter'].flatMap((name) =>
      [1, 10, 100].map((bases) => `${name}-${bases}`),
    ),
    'component-register-30000',
    ...[0, 10, 1000].map((handlers) => `component-notify-${handlers}`),
  ],
  async *measure(wanted, settings) {
    yield* lookups(wanted, settings)
    if (wanted.has('component-register-30000')) yield await registering(settings)
    yield* notifying(wanted, settings)
  },
}

const GOALS: Readonly<Record<string, Goal>> = {
  'component-lookup': { atMost: 0.06, speedAtLeast: 2 },
  'component-utility': { atMost: 0.1, speedAtLeast: 2 },
  'component-adapter': { atMost: 0.1, speedAtLeast: 2 },
  'component-register': { atMost: 1000 },
  'component-notify': { atMost: 0.5 },
}

function goalOf(name: string): { readonly goal?: Goal } {
  const goal = GOALS[name.replace(/-\d+$/, '')]
  return goal === undefined ? {} : { goal }
}

interface IMailer {
  readonly host: string
}
const IMailer = defineInterface<IMailer>('bench.IMailer')

interface IReport {
  readonly title: string
}
const IReport = defineInterface<IReport>('bench.IReport')

@stored('bench.Mailer')
class Mailer extends Persistent implements IMailer {
  @field accessor host = 'localhost'
}

const REPORT: IReport = { title: 'report' }
const reportOf = nameComponent('bench.reportOf', (_: Employee): IReport => REPORT)

/** `lookup` in registries in memory, the others in the current site, all with so many bases. */
async function* lookups(wanted: ReadonlySet<string>, settings: Settings): AsyncGenerator<Figure> {
  await using database = await Database.open(settings.workspace.directory('component'))
  for (const bases of [1, 10, 100]) {
    const works = ['lookup', 'utility', 'adapter'] as const
    const figures = works.filter((work) => wanted.has(`component-${work}-${bases}`))
    if (figures.length === 0) continue
    await buildSites(database, bases)
    const rounds = {
      lookup: () => timeLookup(registryWith(bases), settings),
      utility: () => inSite(database, bases, () => timeUtility(settings)),
      adapter: () => inSite(database, bases, () => timeAdapter(settings)),
    }
    for (const work of figures) {
      const name = `component-${work}-${bases}`
      const measured = { name, unit: 'µs', ...goalOf(name), ours: rounds[work] } as const
      yield await besideZope({ ...measured, zope: { work, options: { bases } } }, settings)
    }
  }
}

function registryWith(bases: number): ComponentRegistry {
  let registry = new ComponentRegistry({ name: 'the farthest' })
  registry.registerAdapter(reportOf, { adapts: [Employee], provides: IReport })
  for (let number = 1; number <= bases; number++) {
    registry = new ComponentRegistry({ name: `registry ${number}`, bases: [registry] })
  }
  verify('the number of bases', registry.chain.length - 1, bases)
  return registry
}

function timeLookup(registry: ComponentRegistry, { roundMs }: Settings): number {
  const required = [implementedBy(Employee)]
  verify('the factory', registry.lookup(required, IReport), reportOf)
  return timePerCall(() => registry.lookup(required, IReport), roundMs)
}

function timeUtility({ roundMs }: Settings): number {
  verify('the utility', getUtility(IMailer).host, 'localhost')
  return timePerCall(() => getUtility(IMailer), roundMs)
}

function timeAdapter({ roundMs }: Settings): number {
  const employee = new Employee()
  verify('the adapter', queryAdapter(employee, IReport), REPORT)
  return timePerCall(() => queryAdapter(employee, IReport), roundMs)
}

/** A site inside so many others; the outermost has the components. */
async function buildSites(database: Database, above: number): Promise<void> {
  await database.transaction(({ root }) => {
    let site = root.set(`site-${above}`, new Site())
    const { registry } = site.siteManager
    registry.registerUtility(new Mailer(), { provides: IMailer })
    registry.registerAdapter(reportOf, { adapts: [Employee], provides: IReport })
    for (let number = 0; number < above; number++) site = site.set('site', new Site())
  })
}

function inSite(database: Database, above: number, time: () => number): Promise<number> {
  return database.view(({ root }) => {
    let site = root.getItem(`site-${above}`) as Site
    for (let number = 0; number < above; number++) site = site.getItem('site') as Site
    // The sites above, the database's registry and the process's.
    verify('the number of bases', site.siteManager.registry.chain.length - 1, above + 2)
    return runInSite(site, time)
  })
}

const COMPONENTS = 30_000

/** Of new persistent utilities with names of their own, committed. */
async function registering(settings: Settings): Promise<Figure> {
  await using database = await Database.open(settings.workspace.directory('component-register'))
  let sites = 0
  const round = async (count: number): Promise<number> => {
    const name = `site-${sites++}`
    const startMs = performance.now()
    await database.transaction(({ root }) => {
      const { registry } = root.set(name, new Site()).siteManager
      for (let number = 0; number < count; number++) {
        registry.registerUtility(new Mailer(), { provides: IMailer, name: `mailer ${number}` })
      }
    })
    const tookMs = performance.now() - startMs
    await database.view((context) => verifyRegistered(context, name, count))
    return tookMs
  }
  const beforeMb = await heapMb()
  await round(COMPONENTS)
  const grownMb = (await heapMb()) - beforeMb
  const tenths: number[] = []
  const ours = async (): Promise<number> => {
    tenths.push(await round(COMPONENTS / 10))
    return await round(COMPONENTS)
  }
  const name = `component-register-${COMPONENTS}`
  const directory = settings.workspace.directory('zope-register')
  const zope = { work: 'register', options: { components: COMPONENTS, directory } } as const
  const figure = await besideZope(
    { name, unit: 'ms', ...goalOf(name), ours, zope },
    // Zope takes long.
    { ...settings, warmUps: 0, rounds: Math.min(3, settings.rounds) },
  )
  const facts = {
    'times a tenth': Math.round((figure.value / median(tenths)) * 10) / 10,
    'heap MB': Math.round(grownMb),
  }
  return { ...figure, facts }
}

function verifyRegistered({ root }: DatabaseContext, site: string, count: number): void {
  const { registry } = (root.getItem(site) as Site).siteManager
  verify('the number of utilities', [...registry.registrations()].length, count)
}

/** An event of an object that no handler is for; the others are for objects of other kinds. */
async function* notifying(wanted: ReadonlySet<string>, settings: Settings): AsyncGenerator<Figure> {
  for (const handlers of [0, 10, 1000]) {
    const name = `component-notify-${handlers}`
    if (!wanted.has(name)) continue
    const ours = notifyRound(handlers, settings)
    const zope = { work: 'notify', options: { handlers } } as const
    yield await besideZope({ name, unit: 'µs', ...goalOf(name), ours, zope }, settings)
  }
}

function notifyRound(handlers: number, { roundMs }: Settings): () => number {
  const registry = new ComponentRegistry({ name: `${handlers} handlers` })
  for (let number = 0; number < handlers; number++) {
    const kind = defineInterface(`bench.IOther${handlers}-${number}`)
    registry.registerHandler(misled, { for: [kind, ObjectModifiedEvent] })
  }
  const event = new ObjectModifiedEvent(new Employee())
  return () => registryScope.run(registry, () => timePerCall(() => notify(event), roundMs))
}

function misled(): never {
  throw new Error('The measured work went wrong: a handler of another kind was called')
}
