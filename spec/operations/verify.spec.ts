import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Level } from 'level'
import { Contained, Database, Folder, field, oidOf, stored, traverse } from '../../lib/index.js'
import { type Problem, verify } from '../../lib/operations/index.js'
import type { Oid } from '../../lib/storage/index.js'
import { objectKeys } from '../../lib/storage/key-space.js'
import { findInFiles, flipBit, levelFiles } from '../support/damage.js'
import { aDatabase } from '../support/persistence-builders.js'
import { codeThrownBy, TemporaryDirectories } from '../support/storage-builders.js'

@stored('spec.verify.Person')
class Person extends Contained {
  @field accessor title = ''
  @field accessor boss: Person | undefined = undefined
}

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

/** Small buffers, so that a few objects make several tables, and nothing is healed from the redo log. */
const LEVEL = { writeBufferBytes: 16 * 1024, compression: false }
const TABLES = /\.(ldb|sst)$/

/** A closed database with 200 people in `/staff`, each with a title of her own. */
async function aClosedDatabase(): Promise<{ directory: string; oids: Map<string, Oid> }> {
  const directory = await directories.create()
  const db = await Database.open(directory, { level: LEVEL })
  await db.transaction(({ root }) => void root.set('staff', new Folder()))
  for (let start = 0; start < 200; start += 20) {
    await db.transaction(({ root }) => {
      const staff = traverse(root, '/staff', Folder)
      for (let number = start; number < start + 20; number++) {
        const person = new Person()
        person.title = titleOf(number)
        staff.set(`p${number}`, person)
      }
    })
  }
  // More of the same bytes, until LevelDB has written all of the above into tables.
  for (let round = 0; round < 30; round++) {
    await db.transaction(({ root }) => {
      const filler = new Person()
      filler.title = 'filler '.repeat(1000)
      root.set(`filler${round}`, filler)
    })
    await db.storage.checkpoint()
  }
  const oids = new Map<string, Oid>()
  await db.view(({ root }) => {
    for (const [name, person] of traverse(root, '/staff', Folder).entries()) {
      oids.set(name, oidOf(person as Person) as Oid)
    }
  })
  await db.close()
  return { directory, oids }
}

function titleOf(number: number): string {
  return `title of person ${String(number).padStart(4, '0')}`
}

/** A copy of a closed database, to be damaged. */
async function copied(directory: string): Promise<string> {
  const copy = await directories.create()
  await cp(directory, copy, { recursive: true })
  return copy
}

/** Whether a problem names the object, or a range that it is in. */
function accused(problems: readonly Problem[], oid: Oid): boolean {
  return problems.some(
    (problem) =>
      problem.oid === oid ||
      (problem.oids !== undefined && problem.oids.from <= oid && oid <= problem.oids.to),
  )
}

/** Changes rows behind the back of the storage. */
async function withRows(
  directory: string,
  change: (level: Level<Buffer, Buffer>) => Promise<void>,
): Promise<void> {
  const level = new Level<Buffer, Buffer>(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
  })
  await level.open()
  await change(level)
  await level.close()
}

describe('A sound database', () => {
  test('has no problem, closed or open', async () => {
    const { directory } = await aClosedDatabase()
    const closed = await verify(directory)
    expect(closed.problems).toEqual([])
    expect(closed.ok).toBe(true)
    expect(closed.objects).toBeGreaterThan(200)
    expect(closed.blocks).toBeGreaterThan(10)
    await using db = await Database.open(directory, { level: LEVEL })
    const open = await verify(db)
    expect(open.problems).toEqual([])
    expect(open.objects).toBe(closed.objects)
  })

  test('has none while transactions commit', async () => {
    const { directory } = await aClosedDatabase()
    await using db = await Database.open(directory, { level: LEVEL })
    let goesOn = true
    const commits = (async () => {
      for (let round = 0; goesOn; round++) {
        await db.transaction(({ root }) => {
          traverse(root, `/staff/p${round % 200}`, Person).title = `changed ${round}`
        })
      }
    })()
    for (let round = 0; round < 3; round++) expect((await verify(db)).problems).toEqual([])
    goesOn = false
    await commits
  })

  test('has none in memory', async () => {
    const db = await aDatabase()
    expect(await verify(db)).toMatchObject({ ok: true, objects: 1, files: 0 })
    await db.close()
  })

  test('may have objects that nothing leads to: they are counted', async () => {
    const { directory } = await aClosedDatabase()
    await using db = await Database.open(directory)
    const before = (await verify(db)).unreachable
    await db.transaction(({ root }) => void traverse(root, '/staff', Folder).delete('p7'))
    const { ok, unreachable } = await verify(db)
    expect(ok).toBe(true)
    expect(unreachable).toBeGreaterThan(before)
    await db.pack({ graceMs: 0 })
    expect(await verify(db)).toMatchObject({ ok: true, unreachable: 0 })
  })

  test('has none after any history, packs, damage to nothing, and reopenings', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('off' as const, 'all' as const),
        fc.array(
          fc.oneof(
            fc.record({ kind: fc.constantFrom('set' as const, 'delete' as const), n: fc.nat(60) }),
            fc.record({ kind: fc.constantFrom('pack' as const, 'reopen' as const), n: fc.nat(3) }),
          ),
          { maxLength: 30 },
        ),
        async (history, steps) => {
          const directory = await directories.create()
          const open = () => Database.open(directory, { level: { ...LEVEL, history } })
          let db = await open()
          for (const { kind, n } of steps) {
            if (kind === 'reopen') {
              await db.close()
              db = await open()
            } else if (kind === 'pack') await db.pack({ graceMs: 0 })
            else {
              await db.transaction(({ root }) => {
                for (let name = n; name < n + 40; name++) {
                  if (kind === 'delete') root.delete(`p${name}`)
                  else if (!root.has(`p${name}`)) root.set(`p${name}`, new Person())
                  else (root.get(`p${name}`) as Person).title += 'x'
                }
              })
            }
          }
          expect((await verify(db)).problems).toEqual([])
          await db.close()
          expect((await verify(directory)).problems).toEqual([])
        },
      ),
      { numRuns: 15 },
    )
  })
})

describe('Damage', () => {
  test('to the bytes of an object is reported, with its path', async () => {
    const { directory, oids } = await aClosedDatabase()
    const copy = await copied(directory)
    const places = await findInFiles(copy, { names: TABLES, text: titleOf(123) })
    expect(places.length).toBeGreaterThan(0)
    for (const { file, at } of places) await flipBit(join(copy, file), { at })
    const { ok, problems } = await verify(copy)
    expect(ok).toBe(false)
    const paths = problems.flatMap(({ path, objects = [] }) => [
      path,
      ...objects.map((o) => o.path),
    ])
    // By its own path, or by its folder's, when the node that has its name was hit as well.
    expect(paths.some((path) => path === '/staff/p123' || path === '/staff')).toBe(true)
    expect(accused(problems, oids.get('p123') as Oid)).toBe(true)
    const damaged = problems.filter(({ kind }) => kind === 'damagedFile')
    expect(damaged.map(({ file }) => file)).toEqual(
      expect.arrayContaining(places.map(({ file }) => file)),
    )
    expect(damaged[0]?.message).toMatch(
      /^\d+\.ldb, byte \d+: The data block is damaged: its checksum/,
    )
  })

  test('of any bit of a table is reported, and what it may have hit is named', async () => {
    const { directory, oids } = await aClosedDatabase()
    const names = await levelFiles(directory, TABLES)
    const contents = await Promise.all(names.map((name) => readFile(join(directory, name))))
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.nat(7), async (which, where, bit) => {
        const file = which % names.length
        const content = contents[file] as Buffer
        const at = where % content.length
        const copy = await copied(directory)
        await flipBit(join(copy, names[file] as string), { at, bit })
        const { problems } = await verify(copy)
        expect(problems.some((problem) => problem.file === names[file])).toBe(true)
        // Whoever's title stands in those bytes is among those named.
        const around = content.subarray(Math.max(0, at - 20), at + 20).toString('latin1')
        const hit = /title of person (\d{4})/.exec(around)?.[1]
        const isObject = problems.some((problem) => problem.oids !== undefined)
        if (hit !== undefined && isObject) {
          expect(accused(problems, oids.get(`p${Number(hit)}`) as Oid)).toBe(true)
        }
        await rm(copy, { recursive: true })
      }),
      { numRuns: 25 },
    )
  })

  test.each([['CURRENT'], ['MANIFEST']])('to any byte of %s is reported', async (prefix) => {
    const { directory } = await aClosedDatabase()
    const [name = ''] = await levelFiles(directory, new RegExp(`^${prefix}`))
    const { length } = await readFile(join(directory, name))
    for (let at = 0; at < length; at += Math.ceil(length / 12)) {
      const copy = await copied(directory)
      await flipBit(join(copy, name), { at, bit: at % 8 })
      const { ok, problems } = await verify(copy)
      expect([at, ok]).toEqual([at, false])
      expect(problems.map(({ file }) => file)).toContain(name)
    }
  })

  test('to the log is reported, and the database is left as it is', async () => {
    const directory = await directories.create()
    const db = await Database.open(directory)
    for (let round = 0; round < 5; round++) {
      await db.transaction(({ root }) => void root.set(`p${round}`, new Person()))
    }
    const copy = await directories.create()
    await cp(directory, copy, { recursive: true, filter: (path) => !/LOCK$|owner/.test(path) })
    await db.close()
    const [log = ''] = await levelFiles(copy, /\.log$/)
    const { length } = await readFile(join(copy, log))
    expect(length).toBeGreaterThan(500)
    for (const at of [3, Math.floor(length / 2)]) {
      const damaged = await copied(copy)
      await flipBit(join(damaged, log), { at, bit: 3 })
      const { problems } = await verify(damaged)
      expect(problems.map(({ file }) => file)).toContain(log)
    }
  })

  test('of a database that is open is reported, and the process lives on', async () => {
    const { directory, oids } = await aClosedDatabase()
    await using db = await Database.open(directory, { level: LEVEL })
    const places = await findInFiles(directory, { names: TABLES, text: titleOf(42) })
    for (const { file, at } of places) await flipBit(join(directory, file), { at })
    const { problems } = await verify(db)
    expect(accused(problems, oids.get('p42') as Oid)).toBe(true)
    expect(problems.every(({ message }) => !message.includes('undefined'))).toBe(true)
    expect(db.isOpen).toBe(true)
  })

  test('a table that is missing or cut short is reported', async () => {
    const { directory } = await aClosedDatabase()
    const [first = '', second = ''] = await levelFiles(directory, TABLES)
    await rm(join(directory, first))
    await truncate(join(directory, second), 100)
    const { problems } = await verify(directory)
    expect(problems.map(({ file }) => file)).toEqual(expect.arrayContaining([first, second]))
    expect(problems.map(({ kind }) => kind)).toContain('damagedFile')
  })
})

describe('A row', () => {
  test('that is gone makes a lost object, named by the path that leads there', async () => {
    const { directory, oids } = await aClosedDatabase()
    const bob = oids.get('p42') as Oid
    await withRows(directory, (level) => level.del(objectKeys.encode(bob)))
    const { problems } = await verify(directory)
    expect(problems).toEqual([
      expect.objectContaining({ kind: 'lostObject', oid: bob, path: '/staff/p42' }),
    ])
  })

  test('whose bytes were changed makes a damaged object', async () => {
    const { directory, oids } = await aClosedDatabase()
    const bob = oids.get('p42') as Oid
    await withRows(directory, async (level) => {
      const bytes = (await level.get(objectKeys.encode(bob))) as Buffer
      bytes[30] = (bytes[30] as number) ^ 1
      await level.put(objectKeys.encode(bob), bytes)
    })
    const { problems } = await verify(directory)
    expect(problems).toEqual([
      expect.objectContaining({ kind: 'damagedObject', oid: bob, path: '/staff/p42' }),
    ])
    expect(problems[0]?.message).toMatch(/^\/staff\/p42: The record of oid .* is damaged/)
  })

  test('that nobody writes is reported', async () => {
    const { directory } = await aClosedDatabase()
    await withRows(directory, (level) => level.put(Buffer.from('zz'), Buffer.from('?')))
    const { problems } = await verify(directory)
    expect(problems.map(({ kind }) => kind)).toEqual(['unknownRow'])
  })

  test('of an older revision makes an outdated object', async () => {
    const directory = await directories.create()
    const history = 'all' as const
    const db = await Database.open(directory, { level: { ...LEVEL, history } })
    await db.transaction(({ root }) => void root.set('p', new Person()))
    await db.storage.checkpoint()
    const oid = await db.view(({ root }) => oidOf(root.get('p') as Person) as Oid)
    await db.close()
    let old: Buffer | undefined
    await withRows(directory, async (level) => {
      old = (await level.get(objectKeys.encode(oid))) as Buffer
    })
    const again = await Database.open(directory, { level: { ...LEVEL, history } })
    for (let round = 0; round < 60; round++) {
      await again.transaction(({ root }) => {
        ;(root.get('p') as Person).title = `${round} ${'x'.repeat(3000)}`
      })
      await again.storage.checkpoint()
    }
    for (let round = 0; round < 60; round++) {
      await again.transaction(({ root }) => {
        const other = new Person()
        other.title = 'y'.repeat(3000)
        root.set(`other${round}`, other)
      })
      await again.storage.checkpoint()
    }
    await again.close()
    await withRows(directory, (level) => level.put(objectKeys.encode(oid), old as Buffer))
    const { problems } = await verify(directory)
    expect(problems).toEqual([expect.objectContaining({ kind: 'outdatedObject', oid, path: '/p' })])
  })
})

describe('A verification', () => {
  test('tells how far it is, and of problems one by one', async () => {
    const { directory, oids } = await aClosedDatabase()
    await withRows(directory, (level) => level.del(objectKeys.encode(oids.get('p1') as Oid)))
    const phases = new Set<string>()
    const told: Problem[] = []
    const { problems } = await verify(directory, {
      onProgress: ({ phase, done, total }) => {
        phases.add(phase)
        expect(done).toBeLessThanOrEqual(total)
      },
      onProblem: (problem) => void told.push(problem),
    })
    expect([...phases]).toEqual(['files', 'rows', 'objects'])
    expect(told).toEqual(problems)
  })

  test('ends by its signal, and leaves the directory free', async () => {
    const { directory } = await aClosedDatabase()
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(verify(directory, { signal })).rejects.toThrow('enough')
    const db = await Database.open(directory)
    await db.close()
  })

  test('is refused where the directory is open, or none', async () => {
    const { directory } = await aClosedDatabase()
    const db = await Database.open(directory)
    expect(await codeThrownBy(() => verify(directory))).toBe('STORAGE_LOCKED')
    await db.close()
    const missing = join(directory, 'missing')
    expect(await codeThrownBy(() => verify(missing))).toBe('STORAGE_NOT_A_DIRECTORY')
    const file = join(directory, 'file')
    await writeFile(file, '')
    expect(await codeThrownBy(() => verify(file))).toBe('STORAGE_NOT_A_DIRECTORY')
  })
})
