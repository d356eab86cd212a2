import { describe, expect, test } from '@jest/globals'
import { runCommand } from '../../lib/cli/index.js'
import { VERSION } from '../../lib/version.js'

async function run(...args: string[]) {
  const out: string[] = []
  const err: string[] = []
  const status = await runCommand(args, {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  })
  return { status, out: out.join('\n'), err: err.join('\n') }
}

describe('Command line', () => {
  test('without arguments it says what it can do', async () => {
    const { status, out } = await run()
    expect(status).toBe(0)
    expect(out).toContain('treehook verify <database>')
    expect(out).toContain('treehook restore <backups> <database> [--up-to …]')
    expect(await run('--help')).toEqual({ status: 0, out, err: '' })
  })

  test('says its version', async () => {
    expect(await run('--version')).toEqual({ status: 0, out: VERSION, err: '' })
  })

  test('the help of one command is about that one', async () => {
    const { status, out } = await run('backup', '--help')
    expect(status).toBe(0)
    expect(out).toContain('treehook backup <database> <backups> [--full]')
    expect(out).not.toContain('restore')
  })

  test.each([
    [['frobnicate'], 'There is no command "frobnicate".'],
    [['verify'], 'It takes 1 place, not 0.'],
    [['backup', 'a', 'b', 'c'], 'It takes 2 places, not 3.'],
    [['verify', 'a', '--fast'], '--fast'],
  ])('wrong arguments end with status 2 and how it is used: %j', async (args, why) => {
    const { status, out, err } = await run(...args)
    expect([status, out]).toEqual([2, ''])
    expect(err).toContain(why)
    expect(err).toContain('Usage:')
  })

  test('what fails ends with status 1 and the code', async () => {
    const { status, err } = await run('backup', '/nowhere/at/all', '/nowhere/else')
    expect(status).toBe(1)
    expect(err).toMatch(/^STORAGE_[A-Z_]+: /)
  })
})
