import { afterEach, describe, expect, test } from '@jest/globals'
import type { Interface, IObjectEvent } from '../../lib/component/index.js'
import {
  type Contained,
  copyTo,
  Folder,
  IContainerModifiedEvent,
  IObjectAddedEvent,
  IObjectCopiedEvent,
  IObjectMovedEvent,
  IObjectRemovedEvent,
  moveTo,
  nameOf,
  OrderedFolder,
  parentOf,
  pathOf,
  type RootFolder,
  renameItem,
} from '../../lib/content/index.js'
import { BTree, field, oidOf, stored } from '../../lib/persistence/index.js'
import { currentTransaction } from '../../lib/transaction/index.js'
import {
  aDatabaseWith,
  closeDatabases,
  codeOfThrown,
  Employee,
  inTransaction,
  type TreeDatabase,
} from '../support/content-builders.js'

afterEach(closeDatabases)

/** A folder with an index that handlers keep. */
@stored('content-spec.Indexed')
class Indexed extends Folder {
  @field accessor index = new BTree<string, string>()
}

class Refused extends Error {}

function refuse(): never {
  throw new Refused('No')
}

/** Adds to the index of the root's `indexed`, then another handler refuses. */
function refuseAfterIndexing(
  db: TreeDatabase,
  root: RootFolder,
  kind: Interface<IObjectEvent>,
): void {
  const { index } = root.getItem('indexed') as Indexed
  db.registry.registerHandler(
    ({ object }) => void index.set(String(nameOf(object as object)), 'x'),
    {
      for: [kind],
    },
  )
  db.registry.registerHandler(refuse, { for: [kind] })
}

const aTree = () =>
  aDatabaseWith((root) => {
    root.set('indexed', new Indexed())
    root.set('a', new Folder()).set('Bob', new Employee())
    root.set('b', new Folder())
    const ordered = root.set('ordered', new OrderedFolder())
    for (const name of ['z', 'y', 'x']) ordered.set(name, new Employee())
  })

/** Paths of everything, and what the index has. */
function shapeOf(folder: Folder): string[] {
  return [...folder].flatMap(([name, item]) => {
    expect([parentOf(item), nameOf(item)]).toEqual([folder, name])
    const indexed =
      item instanceof Indexed ? [...item.index.keys()].map((key) => `index ${key}`) : []
    return [pathOf(item), ...indexed, ...(item instanceof Folder ? shapeOf(item) : [])]
  })
}

const at = <T>(root: RootFolder, ...names: string[]): T =>
  names.reduce<unknown>((folder, name) => (folder as Folder).getItem(name), root) as T

const CHANGES: readonly (readonly [string, (root: RootFolder) => unknown])[] = [
  ['adding', (root) => at<Folder>(root, 'a').set('Eve', new Employee())],
  [
    'adding a subtree',
    (root) => {
      const top = new Folder()
      top.set('deep', new Folder()).set('Eve', new Employee())
      return root.set('top', top)
    },
  ],
  ['removing', (root) => at<Folder>(root, 'a').delete('Bob')],
  ['removing a subtree', (root) => root.delete('a')],
  ['moving', (root) => moveTo(at<Employee>(root, 'a', 'Bob'), at<Folder>(root, 'b'))],
  ['moving a subtree', (root) => moveTo(at<Folder>(root, 'a'), at<Folder>(root, 'b'))],
  ['copying', (root) => copyTo(at<Folder>(root, 'a'), at<Folder>(root, 'b'))],
  ['renaming', (root) => renameItem(at<Folder>(root, 'a'), 'Bob', 'Robert')],
  ['renaming in an order', (root) => renameItem(at<OrderedFolder>(root, 'ordered'), 'z', 'w')],
  ['adding to an order', (root) => at<OrderedFolder>(root, 'ordered').set('w', new Employee())],
  ['removing from an order', (root) => at<OrderedFolder>(root, 'ordered').delete('y')],
  ['ordering anew', (root) => at<OrderedFolder>(root, 'ordered').updateOrder(['x', 'y', 'z'])],
  ['moving in an order', (root) => at<OrderedFolder>(root, 'ordered').moveBefore('x', 'z')],
]

describe('A refused change', () => {
  const KINDS = [
    IObjectMovedEvent,
    IObjectAddedEvent,
    IObjectRemovedEvent,
    IObjectCopiedEvent,
    IContainerModifiedEvent,
  ]

  test.each(CHANGES)(
    '%s leaves no trace, whatever event the handler refuses',
    async (_, change) => {
      let refused = 0
      for (const kind of KINDS) {
        const db = await aTree()
        const before = await db.view(({ root }) => shapeOf(root))
        await db
          .transaction(({ root }) => {
            refuseAfterIndexing(db, root, kind)
            const thrown = codeOfThrown(() => change(root))
            if (thrown instanceof Refused) {
              refused++
              expect(shapeOf(root)).toEqual(before)
            } else expect(thrown).toBe('nothing')
            if (!(thrown instanceof Refused)) throw new Refused()
          })
          .catch((error) => expect(error).toBeInstanceOf(Refused))
        await db.view(({ root }) => expect(shapeOf(root)).toEqual(before))
      }
      expect(refused).toBeGreaterThan(0)
    },
  )

  test('can be followed by others in the same transaction', async () => {
    const db = await aTree()
    await db.transaction(({ root }) => {
      db.registry.registerHandler(
        (object) => {
          if (nameOf(object) === 'Eve') refuse()
        },
        { for: [Employee, IObjectAddedEvent] },
      )
      const folder = at<Folder>(root, 'a')
      folder.set('Ann', new Employee())
      expect(codeOfThrown(() => folder.set('Eve', new Employee()))).toBeInstanceOf(Refused)
      folder.set('Zoe', new Employee())
    })
    await db.view(({ root }) =>
      expect([...at<Folder>(root, 'a').keys()]).toEqual(['Ann', 'Bob', 'Zoe']),
    )
  })

  test('of a new object leaves it new, to be added elsewhere', async () => {
    const db = await aTree()
    const eve = new Employee()
    await db.transaction(({ root }) => {
      refuseAfterIndexing(db, root, IObjectAddedEvent)
      expect(codeOfThrown(() => root.set('Eve', eve))).toBeInstanceOf(Refused)
      expect([parentOf(eve), nameOf(eve), oidOf(eve)]).toEqual([undefined, undefined, undefined])
    })
    const other = new Folder()
    expect(other.set('Eve', eve)).toBe(eve)
  })

  test('inside a handler that goes on is undone alone', async () => {
    const db = await aTree()
    await db.transaction(({ root }) => {
      const [a, b] = [at<Folder>(root, 'a'), at<Folder>(root, 'b')]
      db.registry.registerHandler(
        ({ object }) => {
          if (nameOf(object as object) === 'refused') refuse()
          if (nameOf(object as object) !== 'Eve') return
          expect(codeOfThrown(() => b.set('refused', new Employee()))).toBeInstanceOf(Refused)
          b.set('kept', new Employee())
        },
        { for: [IObjectAddedEvent] },
      )
      a.set('Eve', new Employee())
      expect([[...a.keys()], [...b.keys()]]).toEqual([['Bob', 'Eve'], ['kept']])
    })
  })

  test('leaves containers that are in no database as they were', () =>
    inTransaction((_root, db) => {
      const [folder, target] = [new OrderedFolder<Contained>(), new Folder()]
      for (const name of ['z', 'y', 'x']) folder.set(name, new Employee())
      db.registry.registerHandler(refuse, { for: [IContainerModifiedEvent] })
      const [y] = [folder.getItem('y')]
      for (const change of [
        () => folder.set('w', new Employee()),
        () => folder.delete('y'),
        () => folder.moveBefore('x', 'z'),
        () => folder.updateOrder(['x', 'y', 'z']),
        () => moveTo(y, target),
        () => renameItem(folder, 'y', 'v'),
      ]) {
        expect(codeOfThrown(change)).toBeInstanceOf(Refused)
        expect([[...folder.keys()], [...target.keys()]]).toEqual([['z', 'y', 'x'], []])
        expect([parentOf(y), nameOf(y), folder.get('y')]).toEqual([folder, 'y', y])
      }
    }))

  test('with a data manager that has no savepoints can only be aborted, and says what was thrown', async () => {
    const db = await aTree()
    const adding = db.transaction(({ root }) => {
      const nothing = (): void => {}
      currentTransaction()?.join({
        ...{ sortKey: 'x', abort: nothing, tpcBegin: nothing, commit: nothing },
        ...{ tpcVote: nothing, tpcFinish: nothing, tpcAbort: nothing },
      })
      refuseAfterIndexing(db, root, IObjectAddedEvent)
      expect(codeOfThrown(() => root.set('Eve', new Employee()))).toBeInstanceOf(Refused)
    })
    await expect(adding).rejects.toMatchObject({ code: 'TRANSACTION_FAILED' })
    await db.view(({ root }) => expect(root.has('Eve')).toBe(false))
  })
})
