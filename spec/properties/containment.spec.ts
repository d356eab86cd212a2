import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { IObjectEvent } from '../../lib/component/index.js'
import {
  copyTo,
  Folder,
  IContained,
  moveTo,
  nameOf,
  OrderedFolder,
  parentOf,
  renameItem,
} from '../../lib/content/index.js'
import { aMemoryPlace, closeDatabases, codeOfThrown } from '../support/content-builders.js'

afterEach(closeDatabases)

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
const name = fc.constantFrom('a', 'b', '__proto__', 'é/%')
const plan = fc.record({
  do: fc.constantFrom('add', 'add', 'addOrdered', 'delete', 'move', 'copy', 'rename'),
  item: fc.nat(), // which of those that are there; for additions, into which
  to: fc.nat(),
  name: fc.option(name, { nil: undefined }),
  refusedAt: fc.option(fc.nat({ max: 8 }), { nil: undefined, freq: 2 }),
})
const work = fc.record({
  plans: fc.array(plan, { minLength: 1, maxLength: 6 }),
  end: fc.constantFrom('commit', 'commit', 'abort'),
})

type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never

/** A plan with the paths of what it is about. */
interface Step {
  readonly do: string
  readonly at: readonly string[]
  readonly name: string
  readonly to: readonly string[]
  readonly newName: string | undefined
}

class Aborted extends Error {}
class Refused extends Error {}

describe('A tree of folders', () => {
  test(`has every object in one place, whatever is added, moved, copied, renamed, removed, refused and aborted (seed ${seed})`, () =>
    fc.assert(
      fc.asyncProperty(fc.array(work, { minLength: 3, maxLength: 10 }), async (works) => {
        const open = aMemoryPlace()
        let db = await open()
        let untilRefusal: number | undefined
        db.registry.registerHandler(
          () => {
            if (untilRefusal !== undefined && untilRefusal-- === 0) throw new Refused()
          },
          { for: [IContained, IObjectEvent] },
        )
        let model = new Model()
        for (const { plans, end } of works) {
          const before = model.copy()
          const done = db.transaction(({ root }) => {
            for (const { refusedAt, ...planned } of plans) {
              const one = model.stepOf(planned)
              const after = model.copy()
              const expected = after.take(one)
              untilRefusal = refusedAt
              const outcome = take(root, one)
              untilRefusal = undefined
              if (outcome === 'refused') expect(expected).toBe('done')
              else {
                expect(outcome).toBe(expected)
                model = after
              }
              expect(shapeOf(root)).toEqual(model.shape())
            }
            if (end === 'abort') throw new Aborted()
          })
          if (end === 'commit') await done
          else {
            await expect(done).rejects.toBeInstanceOf(Aborted)
            model = before
          }
        }
        await db.close()
        db = await open()
        expect(await db.view(({ root }) => shapeOf(root))).toEqual(model.shape())
        await db.close()
      }),
      { seed, numRuns: 30 },
    ))
})

function folderAt(root: Folder, names: readonly string[]): Folder | undefined {
  return names.reduce<Folder | undefined>((at, one) => at?.get(one) as Folder | undefined, root)
}

/** @returns what happened: `done`, `nothing`, `refused`, or the code of the error. */
function take(root: Folder, one: Step): string {
  const container = folderAt(root, one.at)
  const target = folderAt(root, one.to)
  const item = container?.get(one.name) as Folder | undefined
  if (container === undefined || target === undefined) return 'nothing'
  const code = codeOfThrown(() => {
    if (one.do === 'add') container.set(one.name, new Folder())
    else if (one.do === 'addOrdered') container.set(one.name, new OrderedFolder() as never)
    else if (one.do === 'delete') container.delete(one.name)
    else if (item === undefined) throw new Nothing()
    else if (one.do === 'rename') renameItem(container, one.name, one.newName ?? one.name)
    else if (one.do === 'move') moveTo(item, target, one.newName)
    else if (countIn(root) < 40) copyTo(item, target, one.newName)
    else throw new Nothing()
  })
  if (code === 'nothing') return 'done'
  if (code instanceof Nothing) return 'nothing'
  return code instanceof Refused ? 'refused' : String(code)
}

class Nothing extends Error {}

/** Paths of everything below, each checked to be where its place says; in the order of names. */
function shapeOf(folder: Folder, prefix = ''): string[] {
  const entries = [...folder]
  expect(entries.map(([one]) => one)).toEqual([...folder.keys()])
  expect(entries).toHaveLength(folder.size)
  const sorted = entries.sort(([one], [other]) => (one < other ? -1 : 1))
  return sorted.flatMap(([one, item]) => {
    expect([parentOf(item), nameOf(item)]).toEqual([folder, one])
    return [`${prefix}/${one}`, ...shapeOf(item as Folder, `${prefix}/${one}`)]
  })
}

function countIn(folder: Folder): number {
  let count = 1
  for (const item of folder.values()) count += countIn(item as Folder)
  return count
}

type Node = Map<string, Node>

/** The same with maps. */
class Model {
  #root: Node

  constructor(root: Node = new Map()) {
    this.#root = root
  }

  copy(): Model {
    return new Model(structuredClone(this.#root))
  }

  /** Items and containers are counted through what is there. */
  stepOf({ do: what, item, to, name: given }: Omit<Plan, 'refusedAt'>): Step {
    const paths = [[], ...this.#paths(this.#root)] as readonly (readonly string[])[]
    const pathOf = (number: number): readonly string[] => paths[number % paths.length] ?? []
    if (what.startsWith('add')) {
      return { do: what, at: pathOf(item), name: given ?? 'a', to: [], newName: undefined }
    }
    const path = pathOf(item)
    const [at, one] = [path.slice(0, -1), path.at(-1) ?? 'none']
    return { do: what, at, name: one, to: pathOf(to), newName: given }
  }

  *#paths(node: Node): Generator<string[]> {
    for (const [one, child] of node) {
      yield [one]
      for (const below of this.#paths(child)) yield [one, ...below]
    }
  }

  take({ do: what, at, name: one, to, newName }: Step): string {
    const [container, target] = [this.#at(at), this.#at(to)]
    if (container === undefined || target === undefined) return 'nothing'
    const item = container.get(one)
    if (what === 'add' || what === 'addOrdered') {
      if (item !== undefined) return 'CONTENT_DUPLICATE_NAME'
      container.set(one, new Map())
      return 'done'
    }
    if (what === 'delete') {
      container.delete(one)
      return 'done'
    }
    if (item === undefined) return 'nothing'
    if (what === 'rename') return rename(container, one, newName ?? one)
    if (what === 'move') return move(item, { container, one, target, wanted: newName ?? one })
    if (size(this.#root) >= 40) return 'nothing'
    const copy = structuredClone(item)
    target.set(freeName(target, newName ?? one), copy)
    return 'done'
  }

  shape(node = this.#root, prefix = ''): string[] {
    return [...node]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .flatMap(([one, child]) => [`${prefix}/${one}`, ...this.shape(child, `${prefix}/${one}`)])
  }

  #at(names: readonly string[]): Node | undefined {
    return names.reduce<Node | undefined>((node, one) => node?.get(one), this.#root)
  }
}

function rename(container: Node, oldName: string, newName: string): string {
  if (container.has(newName)) return 'CONTENT_DUPLICATE_NAME'
  container.set(newName, container.get(oldName) as Node)
  container.delete(oldName)
  return 'done'
}

function move(
  item: Node,
  {
    container,
    one,
    target,
    wanted,
  }: {
    readonly container: Node
    readonly one: string
    readonly target: Node
    readonly wanted: string
  },
): string {
  if (container === target && wanted === one) return 'done'
  if (contains(item, target)) return 'CONTENT_CYCLE'
  target.set(freeName(target, wanted), item)
  container.delete(one)
  return 'done'
}

function freeName(target: Node, wanted: string): string {
  if (!target.has(wanted)) return wanted
  const base = wanted.replaceAll('/', '-')
  let number = 1
  let free = base
  while (target.has(free)) free = `${base}-${++number}`
  return free
}

function contains(node: Node, wanted: Node): boolean {
  return node === wanted || [...node.values()].some((child) => contains(child, wanted))
}

function size(node: Node): number {
  return [...node.values()].reduce((sum, child) => sum + size(child), 1)
}
