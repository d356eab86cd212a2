import { afterEach, describe, expect, test } from '@jest/globals'
import { provides } from '../../lib/component/index.js'
import { Group, IGroup, Principal, PrincipalFolder } from '../../lib/security/index.js'
import { closeDatabases, codeOfThrown } from '../support/content-builders.js'
import { anOffice } from '../support/security-builders.js'

afterEach(closeDatabases)

describe('Principal folder', () => {
  test('knows its principals by id, and gives values', () => {
    const folder = Object.assign(new PrincipalFolder(), { prefix: 'office.' })
    folder.set('bob', new Principal({ title: 'Bob', groups: ['office.staff'] }))
    folder.set('staff', new Group({ title: 'Staff' }))
    expect(folder.queryPrincipal('office.bob')).toMatchObject({
      id: 'office.bob',
      title: 'Bob',
      groups: ['office.staff'],
    })
    expect(provides(folder.queryPrincipal('office.staff'), IGroup)).toBe(true)
    expect(folder.queryPrincipal('bob')).toBeUndefined()
    expect(folder.queryPrincipal('office.ada')).toBeUndefined()
  })

  test('refuses a name that cannot be part of an id', () => {
    expect(codeOfThrown(() => new PrincipalFolder().set('bob smith', new Principal()))).toBe(
      'SECURITY_INVALID_ID',
    )
  })

  test('what it gives outlives the transaction', async () => {
    const { db } = await anOffice((root) => {
      root.set('people', new PrincipalFolder()).set('bob', new Principal({ title: 'Bob' }))
    })
    const bob = await db.view(({ root }) =>
      (root.getItem('people') as PrincipalFolder).queryPrincipal('bob'),
    )
    await db.transaction(({ root }) => root.delete('people'))
    expect(bob?.title).toBe('Bob')
  })

  test('has no stamp once this transaction has changed it, and a new one after a change of groups', async () => {
    const { db } = await anOffice((root) => {
      root.set('people', new PrincipalFolder()).set('bob', new Principal())
    })
    await db.transaction(({ root }) => {
      const people = root.getItem('people') as PrincipalFolder
      const before = people.stamp
      expect(before).toBeDefined()
      const bob = people.getItem('bob')
      bob.groups = ['staff']
      expect(people.stamp).not.toBe(before)
      people.set('ada', new Principal())
      expect(people.stamp).toBeUndefined()
    })
  })
})
