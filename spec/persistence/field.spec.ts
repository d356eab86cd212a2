import { execFile } from 'node:child_process'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, jest, test } from '@jest/globals'
import {
  definePersistent,
  field,
  Persistent,
  type PersistentClass,
  plain,
  storedNameOf,
} from '../../lib/persistence/index.js'
import { createMemoryDatabase } from '../../lib/storage/index.js'
import { storeEveryKind, tellStory } from '../support/decorated-classes.js'
import { aDatabaseWithBob, bobOf, Employee, ofStoredBob } from '../support/persistence-builders.js'
import { codeThrownBy, errorOf, TemporaryDirectories } from '../support/storage-builders.js'

const run = promisify(execFile)
const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

const STORY = {
  boss: ['boss', 7, ['0'], 'gone'],
  clerk: ['clerk', 7, ['0', '1'], true],
  plain: ['tool', ['new', 'used'], true],
}

/** What the fixture at `path` says when Node runs it. */
async function toldBy(path: string, options: readonly string[]): Promise<unknown> {
  const program = `
    const { tellStory, storeEveryKind } = await import(${JSON.stringify(path)})
    console.log(JSON.stringify([await tellStory(), await storeEveryKind()]))`
  const { stdout } = await run(process.execPath, [
    ...options,
    '--input-type=module',
    '--eval',
    program,
  ])
  return JSON.parse(stdout)
}

describe('@stored and @field', () => {
  const source = join(process.cwd(), 'spec/support/decorated-classes.ts')
  const everyKind = async () => [
    STORY,
    Object.fromEntries(Object.keys(await storeEveryKind()).map((name) => [name, true])),
  ]

  test('mean the same to swc', async () => {
    expect([await tellStory(), await storeEveryKind()]).toEqual(await everyKind())
  })

  test('mean the same to tsx', async () => {
    expect(await toldBy(source, ['--import', 'tsx'])).toEqual(await everyKind())
  }, 60_000)

  test('mean the same to tsc', async () => {
    const directory = await directories.create()
    await symlink(join(process.cwd(), 'node_modules'), join(directory, 'node_modules'))
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
    await writeFile(
      join(directory, 'tsconfig.json'),
      JSON.stringify({
        extends: join(process.cwd(), 'tsconfig.json'),
        compilerOptions: {
          noEmit: false,
          noCheck: true,
          rootDir: process.cwd(),
          outDir: join(directory, 'out'),
        },
        include: [],
        files: [source],
      }),
    )
    await run(process.execPath, [
      join(process.cwd(), 'node_modules/typescript/bin/tsc'),
      '-p',
      directory,
    ])
    expect(await toldBy(join(directory, 'out/spec/support/decorated-classes.js'), [])).toEqual(
      await everyKind(),
    )
  }, 60_000)
})

describe('Field', () => {
  test('is an own matter of each object', () => {
    const [one, other] = [new Employee(), new Employee()]
    one.phones.push('1')
    one.title = 'one'
    expect([other.title, other.phones.length]).toEqual(['', 0])
  })

  test('stands before an accessor with a text name only', async () => {
    const decorators = [
      { kind: 'method', name: 'run' },
      { kind: 'field', name: 'title' },
      { kind: 'accessor', name: Symbol('s') },
    ]
    for (const context of decorators) {
      expect(await codeThrownBy(() => field({} as never, context))).toBe(
        'PERSISTENCE_INVALID_CLASS',
      )
      expect(await codeThrownBy(() => field({ default: 1 })({} as never, context))).toBe(
        'PERSISTENCE_INVALID_CLASS',
      )
    }
  })

  test('relies on nothing of its context but name and kind', () => {
    const { get, set, init } = field({} as never, { kind: 'accessor', name: 'bare' }) as {
      get: () => unknown
      set: (value: unknown) => void
      init: (value: unknown) => unknown
    }
    class Bare extends Persistent {}
    Object.defineProperty(Bare.prototype, 'bare', { get, set })
    const bare = new Bare()
    init.call(bare, 5)
    expect(get.call(bare)).toBe(5)
    set.call(bare, 6)
    expect((bare as unknown as { bare: number }).bare).toBe(6)
  })

  test('a value that cannot be stored is refused at the write, and leaves the old one', async () => {
    const db = await aDatabaseWithBob({ title: 'clerk', data: { old: true } })
    await db.transaction(async (context) => {
      const bob = bobOf(context)
      for (const value of [
        () => 1,
        Symbol('x'),
        new URL('https://example.com'),
        '\ud800',
        [[Promise.resolve()]],
      ]) {
        const error = await errorOf(() => {
          bob.data = value
        })
        expect(error).toMatchObject({ code: 'PERSISTENCE_UNSTORABLE_VALUE' })
        expect(error.message).toMatch(/spec\.Employee \(oid 0000000000000001\): data/)
      }
      expect(
        await codeThrownBy(() => {
          bob.title = '\ud800'
        }),
      ).toBe('PERSISTENCE_UNSTORABLE_VALUE')
      expect(plain(bob.data)).toEqual({ old: true })
    })
    expect(await ofStoredBob(db, (bob) => [bob.title, bob.data])).toEqual(['clerk', { old: true }])
    expect(db.lastTid).toBe(2)
  })

  test('a new object refuses what cannot be stored, too', async () => {
    expect(await codeThrownBy(() => new Employee({ data: () => 1 }))).toBe(
      'PERSISTENCE_UNSTORABLE_VALUE',
    )
  })

  describe('of a class that changed', () => {
    type Library = typeof import('../../lib/persistence/index.js')
    type Changed = { title: string; old: string; added: string[]; fixed: number }

    /** Another program: the library anew, with classes of its own, over the same database. */
    async function inProgram<T>(
      database: ReturnType<typeof createMemoryDatabase>,
      declare: (library: Library) => PersistentClass,
      work: (it: Changed) => T,
    ): Promise<T> {
      jest.resetModules()
      const library: Library = await import('../../lib/persistence/index.js')
      const storage = await import('../../lib/storage/index.js')
      const Changing = declare(library) as new () => Persistent
      const db = await library.ObjectDatabase.open('', {
        storage: storage.createMemoryStorage({ database }),
      })
      const result = await db.transaction(({ rootMapping }) => {
        if (!rootMapping.has('it')) rootMapping.set('it', new Changing())
        return work(rootMapping.get('it') as unknown as Changed)
      })
      await db.close()
      return result
    }

    const declaring =
      (fields: readonly string[] | Record<string, unknown>) =>
      (library: Library): PersistentClass =>
        library.definePersistent(class Changing extends library.Persistent {}, {
          name: 'spec.Changing',
          fields,
        })

    /** A database with an object of the first program. */
    async function aStoredObject() {
      const database = createMemoryDatabase()
      await inProgram(database, declaring(['old', 'title']), (it) => {
        it.old = 'old'
        it.title = 'title'
      })
      return database
    }

    test('reads the default where a stored state lacks it, and undefined without one', async () => {
      const database = await aStoredObject()
      const changed = declaring({ added: ['default'], title: '', fixed: undefined })
      const before = await inProgram(database, changed, (it) => {
        const read = [it.title, [...it.added], it.fixed, it.old]
        it.added.push('changed')
        it.fixed = 1
        return read
      })
      expect(before).toEqual(['title', ['default'], undefined, undefined])
      expect(
        await inProgram(database, changed, (it) => [it.title, [...it.added], it.fixed]),
      ).toEqual(['title', ['default', 'changed'], 1])
    })

    test('the accessor’s own initial value serves new objects only', async () => {
      const database = await aStoredObject()
      const declare = (library: Library): PersistentClass => {
        @library.stored('spec.Changing')
        class Changing extends library.Persistent {
          @library.field accessor title = 'initial'
          @library.field({ default: 5 }) accessor fixed = 9
          @library.field accessor added: string[] | undefined = ['initial']
        }
        expect([new Changing().fixed, new Changing().added]).toEqual([9, ['initial']])
        return Changing
      }
      expect(await inProgram(database, declare, (it) => [it.title, it.fixed, it.added])).toEqual([
        'title',
        5,
        undefined,
      ])
    })

    test('what a lost field held is kept when the object is written, and read when it is back', async () => {
      const database = await aStoredObject()
      await inProgram(database, declaring(['title']), (it) => {
        it.title = 'new'
      })
      expect(
        await inProgram(database, declaring(['title', 'old']), (it) => [it.title, it.old]),
      ).toEqual(['new', 'old'])
    })

    test('an unknown class is named, and nothing is lost', async () => {
      const database = await aStoredObject()
      const gone = (library: Library): PersistentClass => library.BTree
      const error = await errorOf(() => inProgram(database, gone, () => undefined))
      expect(error).toMatchObject({ code: 'PERSISTENCE_UNKNOWN_CLASS' })
      expect(error.message).toMatch(/0000000000000001.*spec\.Changing/)
      expect(await inProgram(database, declaring(['old', 'title']), (it) => it.title)).toBe('title')
    })
  })
})

describe('definePersistent', () => {
  test('gives names, or names with the value until it is assigned', async () => {
    class Office extends Persistent {
      declare city: string
      declare rooms: number[]
    }
    expect(
      definePersistent(Office, {
        name: 'spec.defined.Office',
        fields: { city: 'Norman', rooms: [] },
      }),
    ).toBe(Office)
    expect(storedNameOf(Office)).toBe('spec.defined.Office')
    const office = new Office()
    office.rooms.push(1)
    expect([office.city, [...office.rooms], [...new Office().rooms]]).toEqual(['Norman', [1], []])
    class Room extends Persistent {
      declare size?: number
    }
    definePersistent(Room, { name: 'spec.defined.Room', fields: ['size'] })
    expect(new Room().size).toBeUndefined()
  })

  test('inherits fields', () => {
    class Base extends Persistent {
      declare one: number
    }
    class Derived extends Base {
      declare two: number
    }
    definePersistent(Base, { name: 'spec.defined.Base', fields: { one: 1 } })
    definePersistent(Derived, { name: 'spec.defined.Derived', fields: { two: 2 } })
    const derived = new Derived()
    derived.one = 11
    expect([derived.one, derived.two, new Base().one]).toEqual([11, 2, 1])
  })

  test.each<[string, () => unknown]>([
    [
      'once objects of the class exist',
      () => {
        class Late extends Persistent {}
        new Late()
        return definePersistent(Late, { name: 'spec.defined.Late', fields: [] })
      },
    ],
    [
      'without a name',
      () => definePersistent(class extends Persistent {}, { name: '', fields: [] }),
    ],
    [
      'with a name that is taken',
      () =>
        definePersistent(class Thief extends Persistent {}, { name: 'spec.Employee', fields: [] }),
    ],
    [
      'with another name than it has',
      () => {
        class Twice extends Persistent {}
        definePersistent(Twice, { name: 'spec.defined.Once', fields: [] })
        return definePersistent(Twice, { name: 'spec.defined.Twice', fields: [] })
      },
    ],
    [
      'of a class that is not persistent',
      () => definePersistent(class Other {} as never, { name: 'spec.defined.Other', fields: [] }),
    ],
    [
      'with a field named constructor',
      () =>
        definePersistent(class Odd extends Persistent {}, {
          name: 'spec.defined.Odd',
          fields: ['constructor'],
        }),
    ],
  ])('is refused %s', async (_, define) => {
    expect(await codeThrownBy(define)).toBe('PERSISTENCE_INVALID_CLASS')
  })

  test('is refused with a default that cannot be stored', async () => {
    const define = () =>
      definePersistent(class Odd extends Persistent {}, {
        name: 'spec.defined.Unstorable',
        fields: { a: () => 1 },
      })
    expect(await codeThrownBy(define)).toBe('PERSISTENCE_UNSTORABLE_VALUE')
  })
})
