import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { examplesIn, runExample } from '../examples/doctest.js'

const directory = join(__dirname, '../examples')
const NAMES = [
  '01-first-database.ts',
  '02-folders-and-paths.ts',
  '03-first-webhook.ts',
  '04-history.ts',
  '05-components.ts',
  '06-folders-and-events.ts',
  '07-sites-and-paths.ts',
  '08-annotations-and-generations.ts',
  '09-permissions.ts',
]

describe('Examples', () => {
  test('all are listed here', async () => {
    expect(await examplesIn(directory)).toEqual(NAMES)
  })

  test.each(NAMES)('%s prints what stands in it', async (name) => {
    expect(await runExample(directory, name)).toEqual({ name, problem: '' })
  })
})
