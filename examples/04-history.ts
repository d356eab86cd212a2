// 04 History: the database as it was, what a transaction did, and taking it back.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Contained,
  codeOf,
  Database,
  Folder,
  field,
  stored,
  traverse,
  type UndoError,
} from 'treehook'

@stored('employees.Employee')
class Employee extends Contained {
  @field accessor title = ''
}

const directory = await mkdtemp(join(tmpdir(), 'treehook-'))
const db = await Database.open(directory, { history: 'all' })
const bobOf = ({ root }: { root: Folder }) => traverse(root, '/OUN/Bob', Employee)

await db.transaction(
  ({ root }) => {
    root.set('OUN', new Folder()).set('Bob', new Employee())
  },
  { note: 'Bob is hired' },
)
const hired = db.lastTid

await db.transaction(
  (context) => {
    bobOf(context).title = 'Chief'
  },
  { note: 'Bob is promoted' },
)
const promoted = db.lastTid

// As a commit left it, or at a time.
console.log(await db.at(hired, (past) => bobOf(past).title || 'no title yet'))
//=> no title yet
console.log(await db.at(new Date(), (past) => bobOf(past).title))
//=> Chief

// Every revision of an object, newest first.
const bob = await db.view(bobOf)
for (const { tid, description } of await db.history(bob)) {
  console.log(tid === promoted, description)
}
//=> true Bob is promoted
//=> false Bob is hired

// Somebody else changes other things meanwhile: they stay.
await db.transaction(({ root }) => {
  traverse(root, '/OUN', Folder).set('Ada', new Employee())
})
await db.undo(promoted)
await db.view((context) => {
  console.log(JSON.stringify(bobOf(context).title), [
    ...traverse(context.root, '/OUN', Folder).keys(),
  ])
  //=> "" [ 'Ada', 'Bob' ]
})

// What was changed again since is not overwritten.
await db.transaction((context) => {
  bobOf(context).title = 'Pensioner'
})
try {
  await db.undo(hired)
} catch (error) {
  console.log(codeOf(error))
  //=> PERSISTENCE_UNDO_CONFLICT
  for (const { what, reason } of (error as UndoError).conflicts) console.log(what, reason)
  //=> treehook.Folder at /OUN (oid …) it was changed by a later transaction
  //=> employees.Employee at /OUN/Bob (oid …) it was changed by a later transaction
}

// The past cannot be changed.
await db
  .at(hired, (past) => {
    bobOf(past).title = 'President'
  })
  .catch((error) => console.log(codeOf(error)))
//=> PERSISTENCE_READ_ONLY_TRANSACTION

// A feed gives each commit once, in order: what has happened first, then what happens.
for await (const { tid, description, written } of db.changes({ after: hired })) {
  console.log(description, [...new Set(written.values())])
  //=> Bob is promoted [ 'employees.Employee' ]
  if (tid === promoted) break
}

await db.close()
await rm(directory, { recursive: true })
