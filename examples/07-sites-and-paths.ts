// 07 Sites and paths: names for every place, components by place, sites for hosts, jobs in a site.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ComponentRegistry,
  Contained,
  codeOf,
  currentSite,
  Database,
  defineInterface,
  Folder,
  field,
  getNextUtility,
  getUtility,
  IComponents,
  IView,
  implementer,
  installMainApplication,
  installUtility,
  mainApplicationOf,
  nameOf,
  pathOf,
  printTree,
  queryTraverse,
  runInSite,
  runJobInSite,
  Site,
  siteForNames,
  stored,
  synchronizeHostPolicies,
  traverse,
  treeOf,
} from 'treehook'

interface IGreeting {
  readonly text: string
}
const IGreeting = defineInterface<IGreeting>('example.IGreeting')

@stored('example.Greeting')
class Greeting extends Contained implements IGreeting {
  @field accessor text = ''
}

function greeting(text: string): Greeting {
  return Object.assign(new Greeting(), { text })
}

const directory = await mkdtemp(join(tmpdir(), 'treehook-'))
const db = await Database.open(directory)

// The application is one site, set up once.
await db.transaction(({ connection }) => {
  const weather = installMainApplication(connection, { name: 'weather' })
  const norman = weather.set('norman', new Site())
  norman.set('reports', new Folder()).set('2026/11', new Folder())
  const at = 'greeting'
  installUtility(weather.siteManager, greeting('Good day'), { at, provides: IGreeting })
  installUtility(norman.siteManager, greeting('Howdy'), { at, provides: IGreeting })
})

// A path leads back to its object, whatever the names are.
await db.view(({ root }) => {
  const report = traverse(root, ['weather', 'norman', 'reports', '2026/11'], Folder)
  console.log(pathOf(report), traverse(root, pathOf(report)) === report)
  //=> /weather/norman/reports/2026%2F11 true
  for (const path of ['/weather/norman/..', '/weather/norman/reports/++acquire++norman']) {
    console.log(pathOf(traverse(root, path)))
  }
  //=> /weather
  //=> /weather/norman
  console.log(queryTraverse(root, '/weather/norman/size'))
  //=> undefined
  try {
    traverse(root, '/weather/../..')
  } catch (error) {
    console.log(codeOf(error), (error as Error).message)
    //=> CONTENT_LOCATION The path "/weather/../.." leads above the root folder
  }
})

// A view is an adapter that paths can name.
interface ICard {
  readonly title: string
}
const ICard = defineInterface<ICard>('example.ICard', { extends: [IView] })
@implementer(ICard)
class Card implements ICard {
  readonly folder: Folder

  constructor(folder: Folder) {
    this.folder = folder
  }

  get title(): string {
    return `${this.folder.size} report`
  }
}
db.registry.registerAdapter((folder) => new Card(folder), {
  adapts: [Folder],
  provides: ICard,
  name: 'card',
})
await db.view(({ root }) => {
  console.log(traverse(root, '/weather/norman/reports/@@card', ICard).title)
  //=> 1 report
})

// The nearest site answers; what it hides is the next one.
await db.view(({ root }) => {
  const norman = traverse(root, '/weather/norman', Site)
  const near = getUtility(IGreeting, { context: norman })
  console.log(near.text, '|', getNextUtility(near, IGreeting).text)
  //=> Howdy | Good day
  runInSite(norman, () => console.log(getUtility(IGreeting).text))
  //=> Howdy
})

// A registry of the program, per host name, gets a site of its own that can keep more.
const tulsa = new ComponentRegistry({ name: 'tulsa' })
tulsa.registerUtility({ text: 'Hello from Tulsa' }, { provides: IGreeting })
db.registry.registerUtility(tulsa, { provides: IComponents, name: 'tulsa.example.com' })
await db.transaction(({ connection }) => {
  const application = mainApplicationOf(connection)
  console.log(synchronizeHostPolicies(application).created)
  //=> [ 'tulsa.example.com' ]
  const site = siteForNames(application, ['tulsa.example.com'])
  console.log(pathOf(site), getUtility(IGreeting, { context: site }).text)
  //=> /weather/++etc++hostsites/tulsa.example.com Hello from Tulsa
})

// A job has its transaction and its site, also after an await.
const answer = await runJobInSite(
  db,
  async () => {
    await Promise.resolve()
    return `${nameOf(currentSite() as object)}: ${getUtility(IGreeting).text}`
  },
  { siteNames: ['tulsa.example.com'] },
)
console.log(answer)
//=> tulsa.example.com: Hello from Tulsa

await db.view(({ root }) => {
  printTree(root)
  //=> <IRoot>: /
  //=>     <ISite>: weather
  //=>         ++etc++hostsites
  //=>             <ISite>: tulsa.example.com
  //=>         <ISite>: norman
  //=>             reports
  //=>                 2026/11
  console.log(treeOf(root, { depth: 1 }).children?.map(({ name, size }) => `${name}: ${size}`))
  //=> [ 'weather: 2' ]
})

await db.close()
await rm(directory, { recursive: true })
