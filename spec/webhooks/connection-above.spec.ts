import { afterEach, describe, expect, test } from '@jest/globals'
import { Folder } from '../../lib/index.js'
import { connectionAbove } from '../../lib/webhooks/index.js'
import { anOffice, Employee, endAll } from '../support/webhooks-builders.js'

afterEach(endAll)

describe('connectionAbove', () => {
  test('is the connection of the nearest stored object', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root, connection }) => {
      const inner = root.set('new', new Folder()).set('Ann', new Employee())
      expect(connectionAbove(root)).toBe(connection)
      expect(connectionAbove(inner)).toBe(connection)
    })
  })

  test('is undefined where nothing is stored', () => {
    const folder = new Folder()
    expect(connectionAbove(folder.set('Ann', new Employee()))).toBeUndefined()
  })
})
