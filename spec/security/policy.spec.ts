import { afterEach, describe, expect, test } from '@jest/globals'
import { runInSite, Site } from '../../lib/content/index.js'
import {
  type Grant,
  grantsOf,
  IPermission,
  LocalPermission,
  lineagePolicy,
  PERMISSION_VIEW,
  PrincipalInfo,
  ROLE_ANONYMOUS,
  ROLE_MANAGER,
  type Setting,
} from '../../lib/security/index.js'
import { closeDatabases, codeOfThrown } from '../support/content-builders.js'
import {
  anOffice,
  bob,
  placesIn,
  READ,
  READER,
  WRITE,
  WRITER,
} from '../support/security-builders.js'

afterEach(closeDatabases)

/** At which place what is said; the last one is of the whole database. */
type Said = readonly [place: 'global' | 'office' | 'desk', setting: Setting, grant: Grant][]

/** Whether bob may read the paper on the desk in the office. */
async function mayRead(
  said: Said,
  groups: Readonly<Record<string, readonly string[]>> = {},
): Promise<boolean> {
  const { db, grants, principals } = await anOffice()
  for (const [id, groupsOfIt] of Object.entries(groups)) {
    if (id === 'bob') principals.define(id, { groups: groupsOfIt })
    else principals.defineGroup(id, { groups: groupsOfIt })
  }
  return db.transaction(({ root }) => {
    const places = { global: grants, ...placesIn(root) }
    for (const [at, setting, grant] of said) {
      const place = at === 'global' ? grants : grantsOf(places[at])
      if (setting === 'allow') place.allow(grant)
      else place.deny(grant)
    }
    return lineagePolicy.isAllowed(bob, READ, places.paper)
  })
}

const ALLOWED: Grant = { principal: 'bob', permission: READ }
const HAS_ROLE: Grant = { principal: 'bob', role: READER }
const ROLE_MAY: Grant = { role: READER, permission: READ }
const group = (principal: string): Grant => ({ principal, permission: READ })

/** The story of upstream's `zopepolicy.txt`, a line each. */
const STORY: readonly (readonly [
  fact: string,
  said: Said,
  expected: boolean,
  groups?: Record<string, string[]>,
])[] = [
  ['what nobody allows is denied', [], false],
  ['a permission to the principal is enough', [['desk', 'allow', ALLOWED]], true],
  ['what is said above counts below', [['office', 'allow', ALLOWED]], true],
  ['what is said of the whole database counts everywhere', [['global', 'allow', ALLOWED]], true],
  [
    'the nearer place counts: denial',
    [
      ['office', 'allow', ALLOWED],
      ['desk', 'deny', ALLOWED],
    ],
    false,
  ],
  [
    'the nearer place counts: grant',
    [
      ['global', 'deny', ALLOWED],
      ['desk', 'allow', ALLOWED],
    ],
    true,
  ],
  [
    'a role of the principal that has the permission is enough',
    [
      ['desk', 'allow', HAS_ROLE],
      ['global', 'allow', ROLE_MAY],
    ],
    true,
  ],
  ['a role without the permission is not', [['desk', 'allow', HAS_ROLE]], false],
  [
    'nor is the permission of a role that the principal has not',
    [['desk', 'allow', ROLE_MAY]],
    false,
  ],
  [
    'a denial to the principal comes before its roles',
    [
      ['global', 'deny', ALLOWED],
      ['desk', 'allow', HAS_ROLE],
      ['desk', 'allow', ROLE_MAY],
    ],
    false,
  ],
  [
    'a grant to the principal comes before the denial of its roles',
    [
      ['global', 'allow', ALLOWED],
      ['desk', 'allow', HAS_ROLE],
      ['desk', 'deny', ROLE_MAY],
    ],
    true,
  ],
  [
    'a nearer denial to a role takes back what it has from above',
    [
      ['global', 'allow', HAS_ROLE],
      ['global', 'allow', ROLE_MAY],
      ['desk', 'deny', ROLE_MAY],
    ],
    false,
  ],
  [
    'a nearer grant to a role gives what was denied above',
    [
      ['global', 'allow', HAS_ROLE],
      ['global', 'deny', ROLE_MAY],
      ['desk', 'allow', ROLE_MAY],
    ],
    true,
  ],
  [
    'a role can be taken from a principal below',
    [
      ['global', 'allow', HAS_ROLE],
      ['global', 'allow', ROLE_MAY],
      ['desk', 'deny', HAS_ROLE],
    ],
    false,
  ],
  [
    'a role that is denied does not stand in the way of another',
    [
      ['desk', 'allow', HAS_ROLE],
      ['desk', 'allow', ROLE_MAY],
      ['desk', 'allow', { principal: 'bob', role: WRITER }],
      ['desk', 'deny', { role: WRITER, permission: READ }],
    ],
    true,
  ],
  [
    'everybody has the role zope.Anonymous',
    [['global', 'allow', { role: ROLE_ANONYMOUS, permission: READ }]],
    true,
  ],
  [
    'a manager may do everything',
    [['desk', 'allow', { principal: 'bob', role: ROLE_MANAGER }]],
    true,
  ],
  [
    'but what is denied to managers',
    [
      ['desk', 'allow', { principal: 'bob', role: ROLE_MANAGER }],
      ['office', 'deny', { role: ROLE_MANAGER, permission: READ }],
    ],
    false,
  ],
  [
    'a grant to a group counts for its members',
    [['office', 'allow', group('g1')]],
    true,
    { bob: ['g1'], g1: [] },
  ],
  [
    'also over another group',
    [['office', 'allow', group('g2')]],
    true,
    { bob: ['g1'], g1: ['g2'], g2: [] },
  ],
  ['not of a group that nobody knows', [['office', 'allow', group('g1')]], false, { bob: ['g1'] }],
  [
    'the nearer place counts for groups, too',
    [
      ['office', 'allow', group('g1')],
      ['desk', 'deny', group('g1')],
    ],
    false,
    { bob: ['g1'], g1: [] },
  ],
  [
    'what is said of the principal anywhere comes before its groups',
    [
      ['global', 'allow', ALLOWED],
      ['desk', 'deny', group('g1')],
    ],
    true,
    { bob: ['g1'], g1: [] },
  ],
  [
    'what is said of a group hides the groups that it is in',
    [
      ['desk', 'allow', group('g2')],
      ['desk', 'deny', group('g1')],
    ],
    false,
    { bob: ['g1'], g1: ['g2'], g2: [] },
  ],
  [
    'one group that may is enough beside one that may not',
    [
      ['desk', 'deny', group('g1')],
      ['desk', 'allow', group('g3')],
    ],
    true,
    { bob: ['g1', 'g3'], g1: [], g3: [] },
  ],
  [
    'a group that is hidden on one path may be found on another',
    [
      ['desk', 'deny', group('g1')],
      ['desk', 'allow', group('g2')],
    ],
    true,
    { bob: ['g1', 'g3'], g1: ['g2'], g2: [], g3: ['g2'] },
  ],
  [
    'groups in a circle do no harm',
    [['desk', 'allow', group('g2')]],
    true,
    { bob: ['g1'], g1: ['g2'], g2: ['g1'] },
  ],
  [
    'a role of a group counts',
    [
      ['global', 'allow', { principal: 'g2', role: READER }],
      ['global', 'allow', ROLE_MAY],
    ],
    true,
    { bob: ['g1'], g1: ['g2'], g2: [] },
  ],
  [
    'and can be taken away in the groups between',
    [
      ['global', 'allow', { principal: 'g2', role: READER }],
      ['global', 'allow', ROLE_MAY],
      ['global', 'deny', { principal: 'g1', role: READER }],
    ],
    false,
    { bob: ['g1'], g1: ['g2'], g2: [] },
  ],
  [
    'and be given by the principal itself all the same',
    [
      ['global', 'allow', ROLE_MAY],
      ['global', 'deny', { principal: 'g1', role: READER }],
      ['office', 'allow', HAS_ROLE],
    ],
    true,
    { bob: ['g1'], g1: [] },
  ],
]

describe('Policy of the lineage', () => {
  for (const [fact, said, expected, groups] of STORY) {
    test(fact, async () => {
      expect(await mayRead(said, groups)).toBe(expected)
    })
  }

  test('by default everybody may view, until that is denied', async () => {
    const { db, grants } = await anOffice()
    await db.transaction(({ root }) => {
      const { paper, desk } = placesIn(root)
      expect(lineagePolicy.isAllowed(bob, PERMISSION_VIEW, paper)).toBe(true)
      grantsOf(desk).deny({ role: ROLE_ANONYMOUS, permission: PERMISSION_VIEW })
      expect(lineagePolicy.isAllowed(bob, PERMISSION_VIEW, paper)).toBe(false)
      grantsOf(desk).unset({ role: ROLE_ANONYMOUS, permission: PERMISSION_VIEW })
      grants.unset({ role: ROLE_ANONYMOUS, permission: PERMISSION_VIEW })
      expect(lineagePolicy.isAllowed(bob, PERMISSION_VIEW, paper)).toBe(false)
    })
  })

  test('objects without a place have what the whole database has', async () => {
    const { db, grants } = await anOffice()
    grants.allow(ALLOWED)
    await db.transaction(() => {
      expect(lineagePolicy.isAllowed(bob, READ, {})).toBe(true)
      expect(lineagePolicy.isAllowed(new PrincipalInfo('ada'), READ, {})).toBe(false)
    })
  })

  test('an unknown permission is an error, not a denial', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      const { paper } = placesIn(root)
      const code = codeOfThrown(() => lineagePolicy.isAllowed(bob, 'typo', paper))
      expect(code).toBe('SECURITY_UNKNOWN_PERMISSION')
    })
  })

  test('a permission of a site is known there, and where the call is in the site', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      const site = root.set('site', new Site())
      const local = site.siteManager.default.set('p', LocalPermission.of('site.Enter'))
      site.siteManager.registry.registerUtility(local, { provides: IPermission, name: local.id })
      expect(lineagePolicy.isAllowed(bob, 'site.Enter', site)).toBe(false)
      const elsewhere = () => lineagePolicy.isAllowed(bob, 'site.Enter', root)
      expect(codeOfThrown(elsewhere)).toBe('SECURITY_UNKNOWN_PERMISSION')
      expect(runInSite(site, elsewhere)).toBe(false)
    })
  })

  test('a permission is no more known once it is unregistered', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      const { paper } = placesIn(root)
      expect(lineagePolicy.isAllowed(bob, WRITE, paper)).toBe(false)
      db.registry.unregisterUtility(undefined, { provides: IPermission, name: WRITE })
      const code = codeOfThrown(() => lineagePolicy.isAllowed(bob, WRITE, paper))
      expect(code).toBe('SECURITY_UNKNOWN_PERMISSION')
    })
  })

  test('a principal that is no treehook object is asked for its groups each time', async () => {
    const { db, principals } = await anOffice()
    principals.defineGroup('g1')
    await db.transaction(({ root }) => {
      const { paper, desk } = placesIn(root)
      grantsOf(desk).allow(group('g1'))
      const eve = { id: 'eve', title: 'Eve', groups: [] as string[] }
      expect(lineagePolicy.isAllowed(eve, READ, paper)).toBe(false)
      eve.groups.push('g1')
      expect(lineagePolicy.isAllowed(eve, READ, paper)).toBe(true)
    })
  })
})
