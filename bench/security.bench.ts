import {
  checkPermission,
  Database,
  type DatabaseContext,
  Folder,
  grantsOf,
  type IPrincipal,
  PERMISSION_MANAGE_CONTENT,
  ROLE_MEMBER,
  runInInteraction,
  traverse,
} from '../lib/index.js'
import type { Figure } from './figure.js'
import { medianSpan, spanOf, timePerCall, verify } from './harness.js'
import { besideZope } from './peers/zope.js'
import type { Settings, Subject } from './subject.js'

/**
 * Whether a principal may change the innermost of ten folders: a role may at the root, and a group
 * that the principal is in has the role there. The peer is zope's policy over such folders in memory.
 */
export const security: Subject = {
  name: 'security',
  figures: ['permission-check-warm', 'permission-check-cold'],
  async *measure(wanted, settings) {
    await using guarded = await Guarded.build(settings)
    if (wanted.has('permission-check-warm')) yield await warm(guarded, settings)
    if (wanted.has('permission-check-cold')) yield await cold(guarded, settings)
  },
}

const DEPTH = 10

/** The same question again in one transaction. */
function warm(guarded: Guarded, settings: Settings): Promise<Figure> {
  return besideZope(
    {
      name: 'permission-check-warm',
      unit: 'µs',
      goal: { atMost: 0.2, ratioAtMost: 1 },
      ours: () => guarded.warm(settings),
      zope: { work: 'permission', options: { depth: DEPTH, grant: 'group', cache: 'warm' } },
    },
    settings,
  )
}

/**
 * The first question of a new connection, once the folder itself was reached. Decoded states stay in
 * the shared cache; zope's objects stay in memory and its policy forgets what it decided.
 */
function cold(guarded: Guarded, settings: Settings): Promise<Figure> {
  return besideZope(
    {
      name: 'permission-check-cold',
      unit: 'µs',
      goal: { atMost: 20, ratioAtMost: 1 },
      ours: () => guarded.cold(settings),
      zope: { work: 'permission', options: { depth: DEPTH, grant: 'group', cache: 'cold' } },
    },
    settings,
  )
}

/** A database with folders, one in the other, and grants at its root. */
class Guarded {
  readonly #database: Database
  readonly #bob: IPrincipal

  static async build({ workspace }: Settings): Promise<Guarded> {
    // Nothing kept in the pool: each view has a new connection.
    const database = await Database.open(workspace.directory('security'), { poolSize: 0 })
    await database.transaction(({ root }) => {
      let at: Folder = root
      for (const name of NAMES) at = at.set(name, new Folder())
      grantsOf(root).allow({ role: ROLE_MEMBER, permission: PERMISSION_MANAGE_CONTENT })
      grantsOf(root).allow({ principal: 'bench.staff', role: ROLE_MEMBER })
    })
    return new Guarded(database)
  }

  private constructor(database: Database) {
    this.#database = database
    const { principals } = database.security
    principals.defineGroup('bench.staff')
    this.#bob = principals.define('bench.bob', { groups: ['bench.staff'] })
  }

  warm({ roundMs }: Settings): Promise<number> {
    return this.#asBob((folder) => {
      verify('the permission', mayChange(folder), true)
      return timePerCall(() => mayChange(folder), roundMs)
    })
  }

  cold({ roundMs }: Settings): Promise<number> {
    return medianSpan(() => this.#asBob((folder) => firstSpan(folder)), roundMs)
  }

  /** In a transaction, with the innermost folder. */
  #asBob(fn: (folder: object) => number): Promise<number> {
    return this.#database.view(({ root }: DatabaseContext) =>
      runInInteraction(this.#bob, () => fn(traverse(root, PATH))),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database.close()
  }
}

const NAMES = Array.from({ length: DEPTH }, (_, depth) => `folder-${depth}`)
const PATH = `/${NAMES.join('/')}`

function mayChange(folder: object): boolean {
  return checkPermission(PERMISSION_MANAGE_CONTENT, folder)
}

function firstSpan(folder: object): number {
  let isAllowed = false
  const span = spanOf(() => {
    isAllowed = mayChange(folder)
  })
  verify('the permission', isAllowed, true)
  return span
}
