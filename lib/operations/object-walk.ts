import { inspect } from 'node:util'
import { codeOf, TreehookError } from '../foundation/index.js'
import {
  checkStoredTree,
  isTreeClass,
  Reachability,
  referencesOf,
  StoredObject,
  type TimeSlice,
  type TreeProblem,
} from '../persistence/index.js'
import {
  type ClassRow,
  formatOid,
  formatTid,
  type Oid,
  OidSet,
  ROOT_OID,
  type Storage,
  StorageClosedError,
  type StorageRecord,
  type StorageSnapshot,
} from '../storage/index.js'
import { ObjectPaths } from './object-paths.js'
import { Parents } from './parents.js'
import type { Problem } from './problem.js'

/** What is walked over, and who is told. */
export interface ObjectWalkTask {
  readonly storage: Pick<Storage, 'classes' | 'highestOid'>
  readonly snapshot: StorageSnapshot
  readonly slice: TimeSlice
  readonly signal: AbortSignal | undefined
  /** Told of each object that can be read. */
  readonly onObject?: (record: StorageRecord, row: ClassRow) => void
  readonly onProblem: (problem: Problem) => void
  readonly onProgress: (done: number, total: number) => void
}

/** Objects between two reports of progress. */
const PROGRESS_STEP = 1000

/**
 * Reads every object of one instant, without the application's classes, in one sweep by rising oid,
 * and what can be reached from the root. Then the trees.
 */
export class ObjectWalk {
  readonly existing = new OidSet()
  readonly paths: ObjectPaths
  readonly #task: ObjectWalkTask
  readonly #classes: readonly ClassRow[]
  readonly #highestOid: number
  readonly #reachable: Reachability
  readonly #parents = new Parents()
  readonly #trees = new OidSet()
  readonly #bad = new OidSet() // of these a problem was reported
  #bytes = 0

  constructor(task: ObjectWalkTask) {
    this.#task = task
    this.#classes = task.storage.classes
    this.#highestOid = task.storage.highestOid
    this.#reachable = new Reachability({
      load: (oid) => this.#load(oid),
      referencesOf: (_, record) => (record === undefined ? [] : this.#follow(record)),
    })
    this.paths = new ObjectPaths(this.#parents, (oid) => {
      const record = this.#task.snapshot.load(oid)
      return record === undefined ? undefined : this.#decode(record)
    })
  }

  /** How many bytes the states have that were read. */
  get bytes(): number {
    return this.#bytes
  }

  /** Objects that are there, and that nothing leads to. */
  get unreachable(): number {
    let reached = 0
    for (const oid of this.existing) if (this.#reachable.has(oid)) reached++
    return this.existing.size - reached
  }

  /** The next object from `from` on that is there, or that something leads to. */
  nextKnown(from: number): Oid | undefined {
    const [there, named] = [this.existing.next(from), this.#reachable.reached.next(from)]
    return there === undefined || (named !== undefined && named < there) ? named : there
  }

  async run(): Promise<void> {
    const { slice, storage, snapshot } = this.#task
    if (snapshot.tid > 0) this.#reachable.reach(ROOT_OID)
    await this.#sweep()
    await this.#reachable.settle(slice)
    this.#findLost()
    for (const oid of this.#trees) {
      if (this.#reachable.has(oid) && !this.#bad.has(oid)) await this.#checkTree(oid)
    }
    this.#task.onProgress(this.existing.size, Math.max(this.existing.size, storage.highestOid + 1))
  }

  async #sweep(): Promise<void> {
    const { snapshot, signal } = this.#task
    for (let from = 0 as Oid; ; ) {
      try {
        for await (const page of snapshot.recordPages({ from, signal })) {
          for (const record of page) {
            this.#read(record)
            from = (record.oid + 1) as Oid
            await this.#step()
          }
        }
        return
      } catch (error) {
        signal?.throwIfAborted()
        if (error instanceof StorageClosedError) throw error
        const oid = oidIn(error)
        if (oid === undefined) return await this.#oneByOne()
        this.#report({ kind: 'damagedObject', oid, message: messageOf(error) })
        from = (oid + 1) as Oid
      }
    }
  }

  /** LevelDB cannot read on, and does not say where: each object is asked for. */
  async #oneByOne(): Promise<void> {
    for (let oid = 0; oid <= this.#highestOid; oid++) {
      if (this.existing.has(oid as Oid) || this.#bad.has(oid as Oid)) continue
      const record = this.#load(oid as Oid)
      if (record !== undefined) this.#read(record)
      await this.#step()
    }
  }

  async #step(): Promise<void> {
    const { slice, onProgress } = this.#task
    const done = this.existing.size
    if (done % PROGRESS_STEP === 0) onProgress(done, Math.max(done, this.#highestOid + 1))
    if (slice.isOver) await slice.turn()
  }

  #read(record: StorageRecord): void {
    const { oid, tid, classId } = record
    this.existing.add(oid)
    this.#bytes += record.state.length
    if (tid > this.#task.snapshot.tid) {
      const message = `Its revision ${formatTid(tid)} is newer than the database, which ends with ${formatTid(this.#task.snapshot.tid)}`
      this.#report({ kind: 'contradiction', oid, tid, message })
    }
    if (oid > this.#highestOid) {
      const message = `It is above ${formatOid(this.#highestOid as Oid)}, the highest oid that was ever given`
      this.#report({ kind: 'contradiction', oid, message })
    }
    const row = this.#classes[classId - 1]
    if (row === undefined) {
      const message = `Its record names class ${classId}, and the database has ${this.#classes.length} classes`
      this.#report({ kind: 'unknownClass', oid, message })
    } else this.#readState(record, row)
    this.#reachable.pass(record)
  }

  #readState(record: StorageRecord, row: ClassRow): void {
    const { oid } = record
    try {
      const object = new StoredObject(record, row)
      if (!object.isNode && object.tree !== undefined) this.#trees.add(oid)
      this.#task.onObject?.(record, row)
    } catch (error) {
      this.#report({ kind: 'damagedObject', oid, message: messageOf(error) })
    }
  }

  #follow(record: StorageRecord): readonly Oid[] {
    const row = this.#classes[record.classId - 1]
    const inTree = row !== undefined && isTreeClass(row)
    try {
      const { strong } = referencesOf(record.state, record.oid)
      for (const found of strong) this.#parents.note(found, record.oid, inTree)
      return strong
    } catch (error) {
      if (!this.#bad.has(record.oid)) {
        this.#report({ kind: 'damagedObject', oid: record.oid, message: messageOf(error) })
      }
      return []
    }
  }

  #load(oid: Oid): StorageRecord | undefined {
    try {
      return this.#task.snapshot.load(oid)
    } catch (error) {
      if (error instanceof StorageClosedError || codeOf(error) === undefined) throw error
      if (!this.#bad.has(oid)) {
        this.#report({ kind: 'damagedObject', oid, message: messageOf(error) })
      }
      return undefined
    }
  }

  #findLost(): void {
    for (const oid of this.#reachable.reached) {
      if (this.existing.has(oid) || this.#bad.has(oid)) continue
      const record = this.#load(oid)
      if (record === undefined && !this.#bad.has(oid)) {
        const from = this.#parents.get(oid)
        const message = `It is not there${from === undefined ? '' : `, and oid ${formatOid(from)} leads to it`}`
        this.#report({ kind: 'lostObject', oid, message })
      }
    }
  }

  async #checkTree(oid: Oid): Promise<void> {
    const { slice } = this.#task
    const root = this.#objectAt(oid)?.tree
    if (root === undefined) return
    const check = checkStoredTree(root, (node) => {
      const found = this.#objectAt(node)
      return found?.isNode ? found.tree : undefined
    })
    let step = check.next()
    for (; !step.done; step = check.next()) if (slice.isOver) await slice.turn()
    const isIncomplete = step.value.some(({ oid: node = oid }) => this.#bad.has(node))
    for (const problem of step.value) {
      if (isIncomplete && problem.path.length === 0) continue // the rest was not counted
      const isGone = problem.oid !== undefined && this.#bad.has(problem.oid)
      const message = isGone ? goneText(problem) : problemText(problem)
      this.#task.onProblem({ kind: 'damagedTree', oid, message })
    }
  }

  #objectAt(oid: Oid): StoredObject | undefined {
    const record = this.#load(oid)
    return record === undefined || this.#bad.has(oid) ? undefined : this.#decode(record)
  }

  #decode(record: StorageRecord): StoredObject | undefined {
    const row = this.#classes[record.classId - 1]
    return row === undefined ? undefined : new StoredObject(record, row)
  }

  #report(problem: Problem & { readonly oid: Oid }): void {
    this.#bad.add(problem.oid)
    this.#task.onProblem(problem)
  }
}

function goneText({ from, to }: TreeProblem): string {
  const [first, last] = [from, to].map((key) => (key === undefined ? undefined : inspect(key)))
  const start = first === undefined ? 'from the first' : `from ${first}`
  const items = `${start} to ${last === undefined ? 'the last' : `below ${last}`}`
  return `The items ${items} cannot be reached: the node of its tree that holds them is damaged or gone`
}

function problemText({ path, problem }: TreeProblem): string {
  return `${path.length === 0 ? 'The tree' : `Node ${path.join('.')} of its tree`}: ${problem}`
}

/** The object that an error of the storage is about. */
function oidIn(error: unknown): Oid | undefined {
  const text = error instanceof TreehookError ? error.details.oid : undefined
  return typeof text === 'string' ? (Number.parseInt(text, 16) as Oid) : undefined
}

function messageOf(error: unknown): string {
  if (codeOf(error) === undefined) throw error
  return (error as Error).message
}
