import { afterEach, describe, expect, test } from '@jest/globals'
import { Site } from '../../lib/content/index.js'
import {
  Group,
  IAuthentication,
  Principal,
  PrincipalFolder,
  PrincipalInfo,
} from '../../lib/security/index.js'
import { subjectAt } from '../../lib/security/local-subject.js'
import { standingOf } from '../../lib/security/standing.js'
import { closeDatabases } from '../support/content-builders.js'
import { anOffice, bob, placesIn, type SecureDatabase } from '../support/security-builders.js'

afterEach(closeDatabases)

function groupsAt(object: object, principal = bob): readonly string[] | undefined {
  return subjectAt(principal, standingOf(object)).subject.groupsOf.get(principal.id)
}

describe('Subject at a place', () => {
  test('is remembered as long as nothing changes', async () => {
    const { db } = await anOffice()
    await db.view(({ root }) => {
      const { paper, desk } = placesIn(root)
      expect(subjectAt(bob, standingOf(paper))).toBe(subjectAt(bob, standingOf(desk)))
    })
  })

  test('follows the principals in memory', async () => {
    const { db, principals } = await anOffice()
    principals.define('bob')
    principals.defineGroup('staff')
    await db.view(({ root }) => {
      const { paper } = placesIn(root)
      expect(groupsAt(paper)).toEqual([])
      principals.setGroups('bob', ['staff'])
      expect(groupsAt(paper)).toEqual(['staff'])
      principals.remove('staff')
      expect(groupsAt(paper)).toEqual([])
    })
  })

  test('follows the principals of a site, in the transaction that changes them too', async () => {
    const { db } = await aSiteWithPeople()
    await db.transaction(({ root, connection }) => {
      const site = root.getItem('site') as Site
      const people = site.siteManager.default.getItem('people') as PrincipalFolder
      expect(groupsAt(site)).toEqual([])
      people.getItem('bob').groups = ['staff']
      expect(groupsAt(site)).toEqual(['staff'])
      const savepoint = connection.transaction?.savepoint()
      people.getItem('bob').groups = []
      expect(groupsAt(site)).toEqual([])
      savepoint?.rollback()
      expect(groupsAt(site)).toEqual(['staff'])
      people.delete('staff')
      expect(groupsAt(site)).toEqual([])
      expect(groupsAt(root)).toEqual([])
    })
  })

  test('follows registrations in a site, also the second one of a transaction', async () => {
    const { db } = await anOffice((root) => void root.set('site', new Site()))
    await db.transaction(({ root }) => {
      const { siteManager } = root.getItem('site') as Site
      const [first, second] = ['first', 'second'].map((name) =>
        siteManager.default.set(name, new PrincipalFolder()),
      ) as [PrincipalFolder, PrincipalFolder]
      second.set('bob', new Principal({ groups: ['staff'] }))
      second.set('staff', new Group())
      const provides = IAuthentication
      siteManager.registry.registerUtility(first, { provides, name: 'first' })
      expect(groupsAt(siteManager)).toEqual([])
      siteManager.registry.registerUtility(second, { provides, name: 'second' })
      expect(groupsAt(siteManager)).toEqual(['staff'])
    })
  })

  test('asks an authentication without a stamp each time', async () => {
    const { db } = await anOffice()
    let groups: readonly string[] = []
    const directory: IAuthentication = {
      queryPrincipal: (id) =>
        id === 'bob' || id === 'staff' ? { id, title: id, groups } : undefined,
    }
    db.registry.registerUtility(directory, { provides: IAuthentication, name: 'directory' })
    await db.view(({ root }) => {
      expect(groupsAt(root)).toEqual([])
      groups = ['staff']
      expect(groupsAt(root)).toEqual(['staff'])
    })
  })

  test('notices a change of the principal’s own list', async () => {
    const { db, principals } = await anOffice()
    principals.defineGroup('staff')
    const ada = { ...new PrincipalInfo('ada'), groups: [] as string[] }
    await db.view(({ root }) => {
      expect(groupsAt(root, ada)).toEqual([])
      ada.groups.push('staff')
      expect(groupsAt(root, ada)).toEqual(['staff'])
    })
  })
})

function aSiteWithPeople(): Promise<SecureDatabase> {
  return anOffice((root) => {
    const { siteManager } = root.set('site', new Site())
    const people = siteManager.default.set('people', new PrincipalFolder())
    people.set('bob', new Principal())
    people.set('staff', new Group())
    siteManager.registry.registerUtility(people, { provides: IAuthentication })
  })
}
