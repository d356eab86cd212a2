import type {
  Interface,
  Registration,
  RegistrationTable,
  Specification,
  StampSource,
} from './interfaces.js'
import { type RegistrationQuestion, searchRegistrations } from './registration-search.js'
import { changesInMemory } from './registration-table.js'
import { specificationStamp } from './specification.js'

/**
 * Remembers answers for one chain of tables, and forgets them all when one could be another now.
 *
 * Two levels, so that a lookup costs the same with one table and with a hundred:
 *
 * 1. *Has anything moved?* Each table names a source to watch. All tables in memory, and the bases
 *    of all registries, share one; the tables of a database connection share another. As long as
 *    each distinct source (one or two) and the specification stamp stand still, answers are valid.
 * 2. *Was it ours?* Only when a source moved, the chain is built again and compared, table by table
 *    and stamp by stamp, with the one the answers were found in. If it is the same they stay valid,
 *    else they are dropped.
 *
 * A table that names no source is its own: its stamp is read at every lookup. A table whose stamp is
 * `undefined` has that of its source for as long. While there is none either, nothing is taken from the
 * answers or added to them, and those that are there wait for the earlier stamps to come back.
 * @internal
 */
export class LookupCache {
  readonly #chain: () => readonly RegistrationTable[]
  #sources: readonly StampSource[] = []
  #seen: readonly unknown[] = [] // the stamp of each source when it was last looked behind
  #seenSpecifications = NEVER
  #basis: Basis = { tables: [], stamps: [], specifications: NEVER }
  #answers = new Answers()
  #size = 0

  /** @param chain - the tables to search now, nearest first. */
  constructor(chain: () => readonly RegistrationTable[]) {
    this.#chain = chain
  }

  find(
    ask: RegistrationQuestion['ask'],
    required: readonly Specification[],
    provided: Interface | undefined,
    name: string,
  ): readonly Registration[] {
    if (!this.#standsStill() && !this.#lookBehind()) {
      return searchRegistrations(this.#chain(), { ask, required, provided, name })
    }
    const answers = this.#answers
    return (
      answers.get(ask, required, provided, name) ??
      this.#search(answers, { ask, required, provided, name })
    )
  }

  /** The same for one object that is required, without a list of it. */
  findForOne(
    ask: RegistrationQuestion['ask'],
    first: Specification,
    provided: Interface | undefined,
    name: string,
  ): readonly Registration[] {
    if (name === '' && this.#standsStill()) {
      const found = this.#answers.getUnnamed(ask, first, provided)
      if (found !== undefined) return found
    }
    return this.find(ask, [first], provided, name)
  }

  #standsStill(): boolean {
    const sources = this.#sources
    for (let index = 0; index < sources.length; index += 1) {
      const { stamp } = sources[index]!
      if (stamp !== this.#seen[index] || stamp === undefined) return false
    }
    return specificationStamp() === this.#seenSpecifications
  }

  /** Brings the answers in line with the tables; false when nothing may be remembered now. */
  #lookBehind(): boolean {
    this.#seenSpecifications = NEVER
    const tables = this.#chain()
    const sources = [...new Set([changesInMemory, ...tables.map((table) => table.watch ?? table)])]
    const seen = sources.map(({ stamp }) => stamp)
    const stamps = tables.map(({ stamp, watch }) => stamp ?? watch?.stamp)
    if (stamps.includes(undefined)) return false
    const basis = { tables, stamps, specifications: specificationStamp() }
    if (!isSame(basis, this.#basis)) this.#forget()
    this.#basis = basis
    this.#sources = sources
    this.#seen = seen
    this.#seenSpecifications = basis.specifications
    return true
  }

  #forget(): void {
    this.#answers = new Answers()
    this.#size = 0
  }

  /** Into `answers` as they were before the search: a change meanwhile leaves them behind. */
  #search(answers: Answers, question: RegistrationQuestion): readonly Registration[] {
    const found = Object.freeze(searchRegistrations(this.#basis.tables, question))
    if (this.#size >= MOST_ANSWERS) this.#forget()
    this.#size += 1
    answers.set(question, found)
    return found
  }
}

const NEVER = -1
/** Names come from outside, from paths for example, so there must be an end to them. */
const MOST_ANSWERS = 50_000

/** What answers depend on. */
interface Basis {
  readonly tables: readonly RegistrationTable[]
  readonly stamps: readonly unknown[]
  readonly specifications: number
}

function isSame(a: Basis, b: Basis): boolean {
  return (
    a.specifications === b.specifications &&
    a.tables.length === b.tables.length &&
    a.tables.every((table, index) => table === b.tables[index]) &&
    a.stamps.every((stamp, index) => stamp === b.stamps[index])
  )
}

/** A tree of maps: ask → provided → each required → name. */
class Answers {
  readonly #start: Record<RegistrationQuestion['ask'], Branch> = {
    utility: new Branch(),
    utilities: new Branch(),
    allUtilities: new Branch(),
    adapter: new Branch(),
    adapters: new Branch(),
    itselfOrAdapter: new Branch(),
    subscriber: new Branch(),
    handler: new Branch(),
  }

  get(
    ask: RegistrationQuestion['ask'],
    required: readonly Specification[],
    provided: Interface | undefined,
    name: string,
  ): readonly Registration[] | undefined {
    let branch = this.#start[ask].branches?.get(provided)
    for (let index = 0; index < required.length && branch !== undefined; index += 1) {
      branch = branch.branches?.get(required[index]!)
    }
    return name === '' ? branch?.unnamed : branch?.named?.get(name)
  }

  getUnnamed(
    ask: RegistrationQuestion['ask'],
    first: Specification,
    provided: Interface | undefined,
  ): readonly Registration[] | undefined {
    return this.#start[ask].branches?.get(provided)?.branches?.get(first)?.unnamed
  }

  set(
    { ask, required, provided, name }: RegistrationQuestion,
    answer: readonly Registration[],
  ): void {
    const branch = [provided, ...required].reduce((at, key) => at.grow(key), this.#start[ask])
    branch.put(name, answer)
  }
}

class Branch {
  branches: Map<Specification | undefined, Branch> | undefined
  unnamed: readonly Registration[] | undefined
  named: Map<string, readonly Registration[]> | undefined

  grow(key: Specification | undefined): Branch {
    this.branches ??= new Map()
    let branch = this.branches.get(key)
    if (branch === undefined) {
      branch = new Branch()
      this.branches.set(key, branch)
    }
    return branch
  }

  put(name: string, answer: readonly Registration[]): void {
    if (name === '') {
      this.unnamed = answer
    } else {
      this.named ??= new Map()
      this.named.set(name, answer)
    }
  }
}
