// Runs the programs of the documents: each block fenced as `ts run` is a whole one. What it prints is
// held against the block fenced as `text output` that follows it, when there is one.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { type Program, programsIn } from './programs.js'

const ROOT = resolve(__dirname, '../..')
const run = promisify(execFile)
const programs = programsIn(ROOT, ['README.md', 'docs'])

describe('Documents', () => {
  test('the README begins with a program', () => {
    expect(programs[0]?.place).toMatch(/^README\.md:/)
  })

  test.each(programs)('$place runs and prints what stands below it', async (program) => {
    const printed = await outputOf(program)
    if (program.output !== undefined) expect(printed).toBe(program.output)
  })
})

/** In a directory of its own, where it may create its database. */
async function outputOf({ source }: Program): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'treehook-documents-'))
  try {
    const file = join(directory, 'program.mts')
    await writeFile(file, source)
    const { stdout } = await run(process.execPath, ['--import', tsx(), file], {
      cwd: directory,
      env: { ...process.env, TSX_TSCONFIG_PATH: join(ROOT, 'tsconfig.json') },
    })
    return stdout
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function tsx(): string {
  return pathToFileURL(require.resolve('tsx')).href
}
