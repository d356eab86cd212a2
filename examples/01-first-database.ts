// 01 A first database: objects that are used like plain ones, in transactions.
//
// What a statement prints stands behind `//=>` below it, as in a doctest; `…` stands for any text.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Contained,
  codeOf,
  Database,
  definePersistent,
  field,
  oidOf,
  stateOf,
  stored,
} from 'treehook'

@stored('employees.Employee') // the name on disk, not the class's
class Employee extends Contained {
  @field accessor title = '' // stored; everything else on the object is volatile
  @field accessor phones: string[] = []
  @field accessor manager: Employee | undefined = undefined
}

const directory = await mkdtemp(join(tmpdir(), 'treehook-'))
let db = await Database.open(directory)

// A transaction commits when its function returns.
await db.transaction(({ root }) => {
  const ada = root.set('Ada', new Employee())
  const bob = root.set('Bob', new Employee())
  bob.manager = ada
  console.log(stateOf(bob))
  //=> unsaved
})

// Nested values notice their own changes: there is nothing to mark.
await db.transaction(({ root }) => {
  const bob = root.getItem('Bob') as Employee
  bob.title = 'Forecaster'
  bob.phones.push('+1 405 555 0100')
  console.log(stateOf(bob), bob.phones.length)
  //=> changed 1
})

// It aborts when its function throws, and leaves no trace.
await db
  .transaction(({ root }) => {
    const bob = root.getItem('Bob') as Employee
    bob.phones.pop()
    throw new Error('second thoughts')
  })
  .catch((error: Error) => console.log(error.message))
//=> second thoughts

// Reading alone: everything is from one instant, and nothing can be changed.
await db.view(({ root }) => {
  const bob = root.getItem('Bob') as Employee
  console.log(bob.title, bob.phones)
  //=> Forecaster [ '+1 405 555 0100' ]
  console.log(bob.manager === root.get('Ada'))
  //=> true
  try {
    bob.title = 'Chief'
  } catch (error) {
    console.log(codeOf(error))
    //=> PERSISTENCE_READ_ONLY_TRANSACTION
  }
})

// What has no stored form is refused where it is assigned, and the old value stays.
await db.transaction(({ root }) => {
  const bob = root.getItem('Bob') as Employee
  try {
    bob.phones = ['+1', (() => 'no number') as unknown as string]
  } catch (error) {
    console.log((error as Error).message)
    //=> employees.Employee … phones[1] was given a function, which cannot be stored. …
  }
  console.log(bob.phones.length)
  //=> 1
})

// Plain JavaScript declares its fields beside the class.
class Office extends Contained {
  declare city: string
}
definePersistent(Office, { name: 'employees.Office', fields: { city: 'Norman' } })

// Another day: everything is as it was committed.
await db.close()
db = await Database.open(directory)
await db.transaction(({ root }) => {
  const office = root.set('OUN', new Office())
  console.log(office.city, (root.getItem('Bob') as Employee).title)
  //=> Norman Forecaster
})
await db.view(({ root }) => {
  console.log(`${[...root.keys()]}`, oidOf(root))
  //=> Ada,Bob,OUN 1
})
await db.close()
await rm(directory, { recursive: true })
