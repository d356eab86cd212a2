import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { VERSION } from '../../lib/version.js'

const run = promisify(execFile)
const tsx = pathToFileURL(require.resolve('tsx')).href
const main = resolve(__dirname, '../../lib/cli/main.ts')
const treehook = (...args: string[]) => run(process.execPath, ['--import', tsx, main, ...args])

describe('The program treehook', () => {
  test('prints results, and ends with status 0', async () => {
    expect((await treehook('--version')).stdout).toBe(`${VERSION}\n`)
  })

  test('prints what is wrong to standard error, and ends with the status', async () => {
    await expect(treehook('frobnicate')).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('There is no command'),
    })
  })
})
