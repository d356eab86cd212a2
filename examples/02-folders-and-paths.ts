// 02 Folders, sites and paths: where objects are, and how to get there.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Contained,
  codeOf,
  Database,
  defineInterface,
  Folder,
  field,
  getUtility,
  IObjectAddedEvent,
  nameOf,
  Persistent,
  parentOf,
  pathOf,
  printTree,
  runInSite,
  Site,
  siteOf,
  stored,
  traverse,
} from 'treehook'

@stored('employees.Employee')
class Employee extends Contained {
  @field accessor title = ''
}

const directory = await mkdtemp(join(tmpdir(), 'treehook-'))
const db = await Database.open(directory)

// Handlers hear what happens to objects: (object, event).
db.registry.registerHandler(
  (object, event) =>
    console.log(`added: ${nameOf(object)} to ${nameOf(event.newParent as object)}`),
  { for: [Employee, IObjectAddedEvent] },
)

await db.transaction(({ root }) => {
  const noaa = root.set('NOAA', new Site())
  const nws = noaa.set('NWS', new Site())
  const oun = nws.set('OUN', new Site())
  const employees = oun.set('employees', new Folder())
  employees.set('Bob', new Employee())
  //=> added: Bob to employees
  nws.set('employees', new Folder()).set('Ada', new Employee())
  //=> added: Ada to employees
})

await db.view(({ root }) => {
  printTree(root)
  //=> <IRoot>: /
  //=>     <ISite>: NOAA
  //=>         <ISite>: NWS
  //=>             <ISite>: OUN
  //=>                 employees
  //=>                     Bob => <Employee>
  //=>             employees
  //=>                 Ada => <Employee>

  // A path leads to an object, and an object knows its path.
  const bob = traverse(root, '/NOAA/NWS/OUN/employees/Bob', Employee)
  console.log(pathOf(bob))
  //=> /NOAA/NWS/OUN/employees/Bob
  console.log(pathOf(traverse(bob, '../../../employees/Ada')))
  //=> /NOAA/NWS/employees/Ada
  console.log(pathOf(siteOf(bob) as object), nameOf(parentOf(bob) as object))
  //=> /NOAA/NWS/OUN employees

  // One that leads nowhere says how far it went, and what is there.
  try {
    traverse(root, '/NOAA/NWS/TSA/employees')
  } catch (error) {
    console.log(codeOf(error), (error as Error).message)
    //=> CONTENT_LOCATION The path "/NOAA/NWS/TSA/employees" ends at /NOAA/NWS: there is no "TSA" in it; it has "OUN", "employees"
  }
})

// Names are free or taken; a folder cannot be put into itself.
await db.transaction(({ root }) => {
  const nws = traverse(root, '/NOAA/NWS', Site)
  const problems = [
    () => nws.set('OUN', new Folder()),
    () => nws.set('..', new Folder()),
    () => (nws.get('OUN') as Folder).set('up', nws),
  ]
  for (const problem of problems) {
    try {
      problem()
    } catch (error) {
      console.log(codeOf(error))
    }
  }
  //=> CONTENT_DUPLICATE_NAME
  //=> CONTENT_INVALID_NAME
  //=> CONTENT_CYCLE
})

// A site has components of its own; what it lacks, the sites above it have.
interface IGreeting {
  text: string
}
const IGreeting = defineInterface<IGreeting>('employees.IGreeting')

@stored('employees.Greeting')
class Greeting extends Persistent implements IGreeting {
  @field accessor text = ''
}

await db.transaction(({ root }) => {
  const greet = (path: string, text: string): void => {
    const greeting = new Greeting()
    greeting.text = text
    traverse(root, path, Site).siteManager.registry.registerUtility(greeting, {
      provides: IGreeting,
    })
  }
  greet('/NOAA', 'Good day from Washington')
  greet('/NOAA/NWS/OUN', 'Howdy from Norman')
})
await db.view(({ root }) => {
  const bob = traverse(root, '/NOAA/NWS/OUN/employees/Bob')
  const ada = traverse(root, '/NOAA/NWS/employees/Ada')
  console.log(getUtility(IGreeting, { context: bob }).text)
  //=> Howdy from Norman
  console.log(getUtility(IGreeting, { context: ada }).text)
  //=> Good day from Washington
  runInSite(traverse(root, '/NOAA', Site), () => console.log(getUtility(IGreeting).text))
  //=> Good day from Washington
})

await db.close()
await rm(directory, { recursive: true })
