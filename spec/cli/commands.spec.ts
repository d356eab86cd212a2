import { existsSync } from 'node:fs'
import { mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { runCommand } from '../../lib/cli/index.js'
import { BTree, ObjectDatabase } from '../../lib/persistence/index.js'

let folder: string
let location: string
let backups: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'treehook-cli-'))
  location = join(folder, 'data')
  backups = join(folder, 'backups')
})

afterEach(() => rm(folder, { recursive: true, force: true }))

async function run(...args: string[]) {
  const out: string[] = []
  const err: string[] = []
  const status = await runCommand(args, {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  })
  return { status, out, err }
}

async function write(name: string): Promise<void> {
  await using database = await ObjectDatabase.open(location)
  await database.transaction(({ rootMapping }) => {
    rootMapping.set(name, new BTree())
  })
}

async function namesIn(place: string): Promise<string[]> {
  await using database = await ObjectDatabase.open(place)
  return await database.view(({ rootMapping }) => [...rootMapping.keys()])
}

describe('Commands', () => {
  test('a healthy database is verified without problems', async () => {
    await write('a')
    const { status, out } = await run('verify', location)
    expect([status, out.at(-1)]).toEqual([0, expect.stringMatching(/^2 objects .*: 0 problems$/)])
  })

  test('a damaged one ends with status 1 and what is wrong', async () => {
    await write('a')
    await flipByteOfTable()
    const { status, out } = await run('verify', location)
    expect(status).toBe(1)
    expect(out.join('\n')).toMatch(/^(damagedFile|unopenable): /m)
  })

  test('backups are made, verified, and restored as of any of them', async () => {
    await write('a')
    expect((await run('backup', location, backups)).out).toEqual([
      'full backup 1: transaction 0000000000000002',
    ])
    await write('b')
    expect((await run('backup', location, backups)).out).toEqual([
      'incremental backup 2: transaction 0000000000000003',
    ])
    expect((await run('backup', location, backups)).out).toEqual([
      'unchanged since backup 2: transaction 0000000000000003',
    ])
    expect(await run('verify-backup', backups)).toMatchObject({ status: 0 })

    expect((await run('restore', backups, join(folder, 'newest'))).status).toBe(0)
    expect(await namesIn(join(folder, 'newest'))).toEqual(['a', 'b'])
    expect(
      (await run('restore', backups, join(folder, 'older'), '--up-to', '0000000000000002')).status,
    ).toBe(0)
    expect(await namesIn(join(folder, 'older'))).toEqual(['a'])
  })

  test('a time that is none restores nothing', async () => {
    await write('a')
    await run('backup', location, backups)
    const { status, err } = await run('restore', backups, join(folder, 'x'), '--up-to', 'noon')
    expect([status, err]).toEqual([1, ['"noon" is no time and no transaction']])
    expect(existsSync(join(folder, 'x'))).toBe(false)
  })

  test('a database in use is refused', async () => {
    await using database = await ObjectDatabase.open(location)
    expect(database.isOpen).toBe(true)
    const { status, err } = await run('backup', location, backups)
    expect([status, err[0]]).toEqual([1, expect.stringMatching(/^STORAGE_LOCKED: /)])
  })
})

async function flipByteOfTable(): Promise<void> {
  const names = await readdir(location)
  const name = names.find((one) => /\.(ldb|log)$/.test(one)) as string
  const file = await open(join(location, name), 'r+')
  try {
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, 40)
    await file.write(Buffer.of((buffer[0] as number) ^ 1), 0, 1, 40)
  } finally {
    await file.close()
  }
}
