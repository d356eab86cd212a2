import { afterEach, describe, expect, test } from '@jest/globals'
import { defineInterface, globalRegistry, queryUtility } from '../../lib/component/index.js'
import { databaseRegistry, IObjectAddedEvent, Site } from '../../lib/content/index.js'
import { aDatabase, closeDatabases, Employee } from '../support/content-builders.js'

afterEach(closeDatabases)

const IBoss = defineInterface('content-spec.IDatabaseBoss')

describe('The registry of a database', () => {
  test('is one for each database, based on the global one', async () => {
    const [one, other] = [await aDatabase(), await aDatabase()]
    expect(databaseRegistry(one.objects)).toBe(databaseRegistry(one.objects))
    expect(databaseRegistry(one.objects)).not.toBe(databaseRegistry(other.objects))
    expect(databaseRegistry(one.objects).bases).toEqual([globalRegistry])
    expect(databaseRegistry(one.objects).name).toBe(one.objects.location)
  })

  test('serves the sites and objects of its database, and of no other', async () => {
    const [one, other] = [await aDatabase(), await aDatabase()]
    one.registry.registerUtility('boss', { provides: IBoss })
    const bossIn = (db: typeof one) =>
      db.transaction(({ root }) => {
        const site = root.set('site', new Site())
        return [root, site, site.set('Bob', new Employee())].map((context) =>
          queryUtility(IBoss, { context }),
        )
      })
    expect(await bossIn(one)).toEqual(['boss', 'boss', 'boss'])
    expect(await bossIn(other)).toEqual([undefined, undefined, undefined])
  })

  test("hears the events of its database's transactions only", async () => {
    const [one, other] = [await aDatabase(), await aDatabase()]
    const heard: string[] = []
    one.registry.registerHandler(() => void heard.push('one'), { for: [IObjectAddedEvent] })
    other.registry.registerHandler(() => void heard.push('other'), { for: [IObjectAddedEvent] })
    await one.transaction(({ root }) => void root.set('Bob', new Employee()))
    expect(heard).toEqual(['one'])
    await other.transaction(({ root }) => void root.set('Bob', new Employee()))
    expect(heard).toEqual(['one', 'other'])
  })
})
