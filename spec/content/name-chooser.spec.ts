import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  Folder,
  INameChooser,
  IReservedNames,
  NameChooser,
  nameChooserOf,
  nameOf,
  type RootFolder,
} from '../../lib/content/index.js'
import {
  aDatabaseWith,
  closeDatabases,
  codeOfThrown,
  Employee,
  inTransaction,
} from '../support/content-builders.js'

afterEach(closeDatabases)

const aFolder = (...names: string[]): Folder => {
  const folder = new Folder()
  for (const name of names) folder.set(name, new Employee())
  return folder
}

describe('checkName', () => {
  test.each([
    ['', 'CONTENT_INVALID_NAME'],
    [7, 'CONTENT_INVALID_NAME'],
    ['+x', 'CONTENT_INVALID_NAME'],
    ['@x', 'CONTENT_INVALID_NAME'],
    ['a/b', 'CONTENT_INVALID_NAME'],
    ['..', 'CONTENT_INVALID_NAME'],
    ['Bob', 'CONTENT_DUPLICATE_NAME'],
    ['Eve', 'nothing'],
    ['a+b@c', 'nothing'],
  ])('of %p: %s', (name, code) => {
    const chooser = new NameChooser(aFolder('Bob'))
    expect(codeOfThrown(() => chooser.checkName(name as string, new Employee()))).toBe(code)
  })

  test('refuses reserved names, before it asks whether they are used', () =>
    inTransaction((root, db) => {
      db.registry.registerAdapter((): IReservedNames => ({ reservedNames: new Set(['index']) }), {
        adapts: [Folder],
        provides: IReservedNames,
      })
      root.set('index', new Employee())
      const chooser = nameChooserOf(root)
      expect(codeOfThrown(() => chooser.checkName('index', new Employee()))).toBe(
        'CONTENT_RESERVED_NAME',
      )
      expect(chooser.chooseName('index', new Employee())).toBe('index-2')
    }))
})

describe('chooseName', () => {
  test.each([
    ['Eve', 'Eve'],
    ['Bob', 'Bob-2'],
    ['report.pdf', 'report-3.pdf'],
    ['.profile', '.profile-2'],
    ['+@+x', 'x'],
    ['a/b/c', 'a-b-c'],
    ['', 'Employee'],
    ['@@', 'Employee'],
    ['..', 'Employee'],
    ['\ud800', '\ufffd'],
    [7, '7'],
  ])('makes of %p the free name %p', (suggestion, name) => {
    const folder = aFolder('Bob', 'report.pdf', 'report-2.pdf', '.profile')
    expect(nameChooserOf(folder).chooseName(suggestion as string, new Employee())).toBe(name)
  })

  test('asks a large folder a few dozen times', () => {
    let asked = 0
    const folder = {
      __parent__: undefined,
      __name__: undefined,
      get: () => undefined,
      has(name: string) {
        asked++
        return name === 'item' || Number(name.slice('item-'.length)) <= 1_000_000
      },
    }
    expect(new NameChooser(folder).chooseName('item', new Employee())).toBe('item-1000001')
    expect(asked).toBeLessThan(60)
  })

  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
  test(`gives a name that checkName accepts, whatever is suggested (seed ${seed})`, () =>
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'a-2', 'a.b', 'Employee', '-'), { maxLength: 5 }),
        fc.oneof(
          fc.constantFrom('a', 'a.b', '+', '/', '@@a', '++a', '.', '..', ''),
          fc.string({ unit: 'binary' }),
        ),
        (names, suggestion) => {
          const chooser = new NameChooser(aFolder(...new Set(names)))
          const item = new Employee()
          chooser.checkName(chooser.chooseName(suggestion, item), item)
        },
      ),
      { seed },
    ))
})

describe('A container', () => {
  test('adds an item under the suggested name, or a free one like it, or one of its class', () =>
    inTransaction((root) => {
      const names = ['Bob', 'Bob', 'a/b', '', ''].map((suggestion) =>
        nameOf(root.add(new Employee(), suggestion)),
      )
      expect(names).toEqual(['Bob', 'Bob-2', 'a/b', 'Employee', 'Employee-2'])
    }))

  test('asks the chooser that is registered for it', () =>
    inTransaction((root, db) => {
      db.registry.registerAdapter(
        (folder: Folder): INameChooser => ({
          checkName() {},
          chooseName: (suggestion) => `${suggestion.toLowerCase()} ${folder.size}`,
        }),
        { adapts: [Folder], provides: INameChooser },
      )
      expect(nameOf(root.add(new Employee(), 'BOB'))).toBe('bob 0')
    }))

  test('gives two transactions different names, one of them at its second try', async () => {
    const db = await aDatabaseWith(() => {})
    let waiting = 0
    let goOn = (): void => {}
    const both = new Promise<void>((resolve) => (goOn = resolve))
    const add = async ({ root }: { root: RootFolder }) => {
      const name = nameOf(root.add(new Employee(), 'Bob'))
      if (++waiting === 2) goOn()
      await both
      return name
    }
    const names = await Promise.all([db.transaction(add), db.transaction(add)])
    expect(names.sort()).toEqual(['Bob', 'Bob-2'])
    expect(waiting).toBe(3)
  })
})
