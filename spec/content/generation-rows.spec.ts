import { afterEach, describe, expect, test } from '@jest/globals'
import {
  GENERATIONS_KEY,
  generationRow,
  setGenerationRow,
} from '../../lib/content/generation-rows.js'
import { aDatabase, closeDatabases } from '../support/content-builders.js'

afterEach(closeDatabases)

describe('The rows of generations', () => {
  test('are in the root mapping once there is one', async () => {
    const db = await aDatabase()
    await db.objects.transaction(({ rootMapping }) => {
      expect(generationRow(rootMapping, 'shop')).toBeUndefined()
      expect(rootMapping.has(GENERATIONS_KEY)).toBe(false)
      setGenerationRow(rootMapping, 'shop', { generation: 3 })
    })
    const underWay = { generation: 4, batches: 7, after: ['NOAA', 'NWS'] }
    await db.objects.transaction(({ rootMapping }) => {
      expect(generationRow(rootMapping, 'shop')).toEqual({ generation: 3 })
      setGenerationRow(rootMapping, 'shop', { generation: 3, underWay })
    })
    await db.objects.view(({ rootMapping }) => {
      expect(generationRow(rootMapping, 'shop')).toEqual({ generation: 3, underWay })
      expect(generationRow(rootMapping, 'wiki')).toBeUndefined()
    })
  })
})
