// 09 Permissions: who may do what, said at objects and asked for in an interaction.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Contained,
  checkPermission,
  codeOf,
  Database,
  decide,
  Folder,
  Group,
  getPrincipal,
  grantsOf,
  IAuthentication,
  IPermission,
  IRole,
  Permission,
  Principal,
  PrincipalFolder,
  Role,
  removeGrants,
  requirePermission,
  runInInteraction,
  Site,
  settingsFor,
  stored,
  traverse,
} from 'treehook'

@stored('offices.Report')
class Report extends Contained {}

const PUBLISH = 'offices.Publish'
const FORECASTER = 'offices.Forecaster'

const directory = await mkdtemp(join(tmpdir(), 'treehook-'))
const db = await Database.open(directory, {
  configure(registry) {
    registry.registerUtility(new Permission(PUBLISH), { provides: IPermission, name: PUBLISH })
    registry.registerUtility(new Role(FORECASTER), { provides: IRole, name: FORECASTER })
  },
})

// A site with people of its own: bob is in the group staff.
await db.transaction(({ root }) => {
  const oun = root.set('OUN', new Site())
  const people = oun.siteManager.default.set('people', new PrincipalFolder())
  oun.siteManager.registry.registerUtility(people, { provides: IAuthentication })
  people.set('staff', new Group({ title: 'Everyone at OUN' }))
  people.set('bob', new Principal({ title: 'Bob', groups: ['staff'] }))

  const reports = oun.set('reports', new Folder())
  reports.set('today', new Report())
  reports.set('secret', new Folder()).set('audit', new Report())

  // Forecasters may publish, the staff are forecasters; but not in /OUN/reports/secret.
  grantsOf(oun).allow({ role: FORECASTER, permission: PUBLISH })
  grantsOf(oun).allow({ principal: 'staff', role: FORECASTER })
  grantsOf(traverse(root, '/OUN/reports/secret')).deny({ principal: 'staff', permission: PUBLISH })
})

// Principals are values, and outlive the transaction that found them.
const bob = await db.view(({ root }) => getPrincipal('bob', { context: root.getItem('OUN') }))
console.log(bob.title, bob.groups)
//=> Bob [ 'staff' ]

await runInInteraction(bob, () =>
  db.view(({ root }) => {
    console.log(checkPermission(PUBLISH, traverse(root, '/OUN/reports/today')))
    //=> true
    try {
      requirePermission(PUBLISH, traverse(root, '/OUN/reports/secret/audit'))
    } catch (error) {
      console.log(codeOf(error), (error as Error).message)
      //=> SECURITY_UNAUTHORIZED bob has no permission offices.Publish on offices.Report at /OUN/reports/secret/audit …
    }
    for (const { place, rows } of settingsFor(traverse(root, '/OUN/reports/secret/audit'))) {
      console.log(place, rows.length)
    }
    //=> treehook.Folder at /OUN/reports/secret … 1
    //=> treehook.Site at /OUN … 2
    //=> the whole database 1
  }),
)

// For somebody who is absent: granted, denied, or nobody can say.
await db.view(({ root }) => {
  const today = traverse(root, '/OUN/reports/today')
  for (const principalId of ['bob', 'zope.anybody', 'carol']) {
    console.log(principalId, decide(today, { principalId, permissionId: PUBLISH }))
  }
  //=> bob granted
  //=> zope.anybody denied
  //=> carol undecidable
})

// Who leaves takes the rights along.
console.log(await removeGrants(db, 'staff'))
//=> { places: 2, rows: 2 }
await db.view(({ root }) => {
  const today = traverse(root, '/OUN/reports/today')
  console.log(decide(today, { principalId: 'bob', permissionId: PUBLISH }))
  //=> denied
})

await db.close()
await rm(directory, { recursive: true })
