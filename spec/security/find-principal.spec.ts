import { afterEach, describe, expect, test } from '@jest/globals'
import { Folder, runInSite, Site } from '../../lib/content/index.js'
import {
  getPrincipal,
  IAuthentication,
  IUnauthenticatedPrincipal,
  Principal,
  PrincipalFolder,
  PrincipalInfo,
  PrincipalRegistry,
  queryPrincipal,
} from '../../lib/security/index.js'
import { closeDatabases, codeOfThrown } from '../support/content-builders.js'
import { anOffice } from '../support/security-builders.js'

afterEach(closeDatabases)

/** A site with a principal folder. */
function siteWith(people: Readonly<Record<string, string>>): Site {
  const site = new Site()
  const folder = site.siteManager.default.set('people', new PrincipalFolder())
  for (const [name, title] of Object.entries(people)) folder.set(name, new Principal({ title }))
  return site
}

function register(site: Site): void {
  const people = site.siteManager.default.getItem('people') as PrincipalFolder
  site.siteManager.registry.registerUtility(people, { provides: IAuthentication })
}

describe('A principal by id', () => {
  test('is asked of the authentication nearest to the context first, then of those above', async () => {
    const { db, principals } = await anOffice()
    principals.define('bob', { title: 'of the database' })
    principals.define('eve')
    await db.transaction(({ root }) => {
      const outer = root.set('outer', siteWith({ bob: 'of outer', ada: 'of outer' }))
      register(outer)
      const inner = outer.set('inner', siteWith({ bob: 'of inner' }))
      register(inner)
      const context = inner.set('folder', new Folder())
      expect(getPrincipal('bob', { context }).title).toBe('of inner')
      expect(getPrincipal('ada', { context }).title).toBe('of outer')
      expect(getPrincipal('eve', { context }).id).toBe('eve')
      expect(getPrincipal('bob', { context: outer }).title).toBe('of outer')
      expect(getPrincipal('bob', { context: root }).title).toBe('of the database')
      expect(getPrincipal('bob').title).toBe('of the database')
    })
  })

  test('then of those of the registry of the call', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      const site = root.set('site', siteWith({ bob: 'of the site' }))
      register(site)
      expect(queryPrincipal('bob', { context: root })).toBeUndefined()
      expect(runInSite(site, () => getPrincipal('bob', { context: root })).title).toBe(
        'of the site',
      )
    })
  })

  test('that nobody knows is an error, or the unauthenticated one', async () => {
    const { db, principals } = await anOffice()
    await db.transaction(({ root }) => {
      expect(codeOfThrown(() => getPrincipal('bob', { context: root }))).toBe(
        'SECURITY_UNKNOWN_PRINCIPAL',
      )
      expect(() => getPrincipal('bob', { context: root })).toThrow(
        /No authentication at .* knows the principal "bob"/,
      )
      const fallback = { context: root, fallbackToUnauthenticated: true }
      expect(getPrincipal('bob', fallback).id).toBe('zope.anybody')
      principals.remove('zope.anybody')
      expect(queryPrincipal('bob', fallback)).toBeUndefined()
      const anyone = new PrincipalInfo('anyone')
      db.registry.registerUtility(anyone, { provides: IUnauthenticatedPrincipal })
      expect(queryPrincipal('bob', fallback)).toBe(anyone)
    })
  })

  test('a later authentication that knows it comes before an earlier one’s fallback', async () => {
    const { db, principals } = await anOffice()
    const others = new PrincipalRegistry()
    others.defineUnauthenticated('stranger')
    db.registry.registerUtility(others, { provides: IAuthentication, name: 'others' })
    principals.define('bob')
    await db.transaction(({ root }) => {
      expect(getPrincipal('bob', { context: root, fallbackToUnauthenticated: true }).id).toBe('bob')
    })
  })
})
