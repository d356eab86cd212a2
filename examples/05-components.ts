// 05 Components: interfaces, adapters, utilities and handlers, in a program and in the sites of a database.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  alsoProvides,
  ComponentRegistry,
  Contained,
  codeOf,
  Database,
  defineInterface,
  field,
  getUtility,
  implementer,
  nameComponent,
  Persistent,
  queryAdapter,
  runInSite,
  Site,
  stored,
} from 'treehook'

// An interface is a type and a value of the same name.
interface IMailer {
  send(text: string): string
}
const IMailer = defineInterface<IMailer>('staff.IMailer', { members: ['send'] })

interface IBadge {
  readonly text: string
}
const IBadge = defineInterface<IBadge>('staff.IBadge')
const IManager = defineInterface('staff.IManager')

@stored('staff.Employee')
class Employee extends Contained {
  @field accessor title = ''
}

@stored('staff.Mailer')
@implementer(IMailer)
class Mailer extends Persistent implements IMailer {
  @field accessor from = ''

  send(text: string): string {
    return `${this.from}: ${text}`
  }
}

// A registry finds utilities by interface, and adapters by what an object is: the closest wins.
const badgeOf = nameComponent('staff.badgeOf', ({ title }: Employee) => ({ text: title }))
const registry = new ComponentRegistry({ name: 'an example' })
registry.registerAdapter(badgeOf, { adapts: [Employee], provides: IBadge })
registry.registerAdapter(() => ({ text: 'Management' }), { adapts: [IManager], provides: IBadge })

const ada = new Employee()
ada.title = 'Forecaster'
console.log(registry.queryAdapter(ada, IBadge)?.text)
//=> Forecaster
alsoProvides(ada, IManager)
console.log(registry.queryAdapter(ada, IBadge)?.text)
//=> Management
console.log(registry.queryUtility(IMailer))
//=> undefined
try {
  registry.getUtility(IMailer)
} catch (error) {
  console.log(codeOf(error))
  //=> COMPONENT_LOOKUP
}

// The registry of a site is in the database. It keeps persistent objects, and what has a name.
const directory = await mkdtemp(join(tmpdir(), 'treehook-'))
const db = await Database.open(directory)
await db.transaction(({ root }) => {
  const noaa = root.set('NOAA', new Site())
  const norman = noaa.set('Norman', new Site())
  for (const [site, from] of [
    [noaa, 'Washington'],
    [norman, 'Norman'],
  ] as const) {
    const mailer = new Mailer()
    mailer.from = from
    site.siteManager.registry.registerUtility(mailer, { provides: IMailer })
  }
  noaa.siteManager.registry.registerAdapter(badgeOf, { adapts: [Employee], provides: IBadge })
  // What an object provides beyond its class is stored with it.
  norman.set('Ada', ada)
})
await db.view(({ root }) => {
  const noaa = root.getItem('NOAA') as Site
  const norman = noaa.getItem('Norman') as Site
  const stored = norman.getItem('Ada') as Employee
  console.log(IManager.providedBy(stored))
  //=> true
  // The nearest site that has something answers.
  runInSite(norman, () => console.log(getUtility(IMailer).send('storm')))
  //=> Norman: storm
  console.log(getUtility(IMailer, { context: noaa }).send('storm'))
  //=> Washington: storm
  console.log(queryAdapter(stored, IBadge, { context: stored })?.text)
  //=> Forecaster
})

await db.close()
await rm(directory, { recursive: true })
