import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { runCommand } from '../../lib/cli/index.js'
import { Contained, Folder, Site } from '../../lib/content/index.js'
import { Database } from '../../lib/database.js'
import { BTree, ObjectDatabase, stored } from '../../lib/persistence/index.js'

@stored('cli-spec.Employee')
class Employee extends Contained {}

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

describe('The command tree', () => {
  beforeEach(async () => {
    await using database = await Database.open(location)
    await database.transaction(({ root }) => {
      const staff = root.set('NOAA', new Site()).set('staff', new Folder())
      for (const name of ['Ann', 'Bob', 'Eve']) staff.set(name, new Employee())
    })
  })

  test('prints what is in a database', async () => {
    const { status, out } = await run('tree', location)
    expect([status, ...out]).toEqual([
      0,
      '<IRoot>: /',
      '    <ISite>: NOAA',
      '        staff',
      '            Ann => <Employee>',
      '            Bob => <Employee>',
      '            Eve => <Employee>',
    ])
  })

  test('begins at a path, and ends where it is told', async () => {
    expect((await run('tree', location, '/NOAA/staff', '--items', '1')).out).toEqual([
      'staff',
      '    Ann => <Employee>',
      '    … and 2 more',
    ])
    expect((await run('tree', location, '--depth', '0')).out).toEqual(['<IRoot>: /'])
    const { out } = await run('tree', location, '--site-managers', '--details')
    expect(out.join('\n')).toMatch(
      /^ {8}\+\+etc\+\+site \(treehook\.SiteManager, 1 item, \w{16}\)$/m,
    )
  })

  test('shows objects whose classes this program lacks, and what is in them', async () => {
    const stranger = join(folder, 'stranger.mts')
    await writeFile(stranger, STRANGER(location))
    execFileSync(process.execPath, ['--import', 'tsx', stranger], { cwd: process.cwd() })
    const { status, out } = await run('tree', location, '/office')
    expect([status, ...out]).toEqual([0, 'office => <broken Office>', '    Zoe => <broken Clerk>'])
  })

  test.each([
    [['/nowhere'], 'CONTENT_LOCATION'],
    [['--depth', 'deep'], '--depth takes a number'],
  ])('says what is wrong with %j', async (args, why) => {
    const { status, err } = await run('tree', location, ...args)
    expect(status).toBe(1)
    expect(err.join('\n')).toContain(why)
  })

  test('says when there are no folders', async () => {
    const bare = join(folder, 'bare')
    await (await ObjectDatabase.open(bare)).close()
    expect(await run('tree', bare)).toMatchObject({
      status: 1,
      err: [expect.stringContaining('no folders')],
    })
  })
})

/** A program with classes of its own, which this one never sees. */
const STRANGER = (location: string): string => `
import { Contained, Database, definePersistent, Folder } from '${join(process.cwd(), 'lib/index.ts')}'
class Office extends Folder {}
class Clerk extends Contained {}
definePersistent(Office, { name: 'stranger.Office', fields: [] })
definePersistent(Clerk, { name: 'stranger.Clerk', fields: [] })
const database = await Database.open(${JSON.stringify(location)})
await database.transaction(({ root }) => {
  root.set('office', new Office()).set('Zoe', new Clerk())
})
await database.close()
`
