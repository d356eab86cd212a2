// 06 Folders and events: names, order, rules, moves and copies, and who hears of them.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Contained,
  codeOf,
  contains,
  copyTo,
  Database,
  Folder,
  field,
  type IObjectEvent,
  IObjectModifiedEvent,
  IObjectMovedEvent,
  IObjectRemovedEvent,
  modified,
  moveTo,
  nameOf,
  OrderedFolder,
  pathOf,
  renameItem,
  stored,
} from 'treehook'

@stored('employees.Employee')
class Employee extends Contained {
  @field accessor title = ''
  @field accessor phones: string[] = []
}

/** Holds employees and nothing else. */
@stored('employees.Department')
@contains(Employee)
class Department extends Folder<Employee> {}

const directory = await mkdtemp(join(tmpdir(), 'treehook-'))
const db = await Database.open(directory)
const tell = (event: IObjectEvent): void =>
  console.log(`${event.constructor.name} of ${nameOf(event.object as object) ?? 'the root'}`)

await db.transaction(({ root }) => {
  const [radar, tower] = [root.set('radar', new Department()), root.set('tower', new Department())]
  radar.set('Bob', new Employee())

  // `set` takes the name it is given; `add` finds a free one.
  console.log(nameOf(radar.add(new Employee(), 'Bob')), nameOf(radar.add(new Employee())))
  //=> Bob-2 Employee
  try {
    radar.set('folder', new Folder() as never)
  } catch (error) {
    console.log(codeOf(error))
    //=> CONTENT_INVALID_ITEM
  }

  // Who listens hears everything, in order.
  for (const kind of [IObjectMovedEvent, IObjectModifiedEvent]) {
    db.registry.registerHandler(tell, { for: [kind] })
  }
  moveTo(radar.getItem('Bob'), tower)
  //=> ObjectMovedEvent of Bob
  //=> ContainerModifiedEvent of tower
  //=> ContainerModifiedEvent of radar
  renameItem(tower, 'Bob', 'Robert')
  //=> ObjectMovedEvent of Robert
  //=> ContainerModifiedEvent of tower
  //=> ContainerModifiedEvent of tower
  console.log(pathOf(copyTo(tower.getItem('Robert'), tower)))
  //=> ObjectAddedEvent of Robert-2
  //=> ContainerModifiedEvent of tower
  //=> /tower/Robert-2
  tower.delete('Robert-2')
  //=> ObjectRemovedEvent of Robert-2
  //=> ContainerModifiedEvent of tower
  db.registry.unregisterHandler(tell, { for: [IObjectMovedEvent] })
  db.registry.unregisterHandler(tell, { for: [IObjectModifiedEvent] })
})

// `modified` knows what was changed.
db.registry.registerHandler((_employee, event) => console.log(...event.descriptions), {
  for: [Employee, IObjectModifiedEvent],
})
await db.transaction(({ root }) => {
  const robert = (root.getItem('tower') as Department).getItem('Robert')
  robert.title = 'Forecaster'
  robert.phones.push('+1 405 555 0100')
  modified(robert)
  //=> Attributes { interface: undefined, attributes: [ 'title', 'phones' ] }
})

// A handler refuses by throwing: then nothing was done, and the transaction can go on.
db.registry.registerHandler(
  () => {
    throw new Error('Nobody leaves before the audit')
  },
  { for: [Employee, IObjectRemovedEvent] },
)
await db.transaction(({ root }) => {
  const tower = root.getItem('tower') as Department
  try {
    tower.delete('Robert')
  } catch (error) {
    console.log((error as Error).message, '-', pathOf(tower.getItem('Robert')))
    //=> Nobody leaves before the audit - /tower/Robert
  }
})

// An ordered folder lists items in an order of its own.
await db.transaction(({ root }) => {
  const shifts = root.set('shifts', new OrderedFolder())
  for (const name of ['night', 'day', 'evening']) shifts.set(name, new Employee())
  shifts.moveBefore('night', undefined)
  console.log([...shifts.keys()].join(', '))
  //=> day, evening, night
})

await db.close()
await rm(directory, { recursive: true })
