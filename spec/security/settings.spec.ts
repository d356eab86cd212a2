import { afterEach, describe, expect, test } from '@jest/globals'
import { grantsOf, settingsFor } from '../../lib/security/index.js'
import { closeDatabases } from '../support/content-builders.js'
import { anOffice, placesIn, READ } from '../support/security-builders.js'

afterEach(closeDatabases)

describe('Settings that count for an object', () => {
  test('are told place by place, the nearest first', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      const { office, desk, paper } = placesIn(root)
      grantsOf(office).deny({ principal: 'bob', permission: READ })
      grantsOf(desk).allow({ principal: 'bob', permission: READ })
      const settings = settingsFor(paper)
      expect(settings.map(({ place }) => place)).toEqual([
        expect.stringContaining('/office/desk'),
        expect.stringContaining('/office'),
        'the whole database',
      ])
      expect(settings.map(({ rows }) => rows.map(({ setting }) => setting))).toEqual([
        ['allow'],
        ['deny'],
        ['allow'],
      ])
      expect(settings.at(-1)?.almighty).toEqual(['zope.Manager'])
    })
  })

  test('of an object in no database are those of the call', async () => {
    const { db } = await anOffice()
    await db.view(() => expect(settingsFor({})).toHaveLength(1))
    expect(settingsFor({})).toEqual([])
  })
})
