// Decisions that are remembered, against a policy that remembers nothing: grants, moves, groups, aborts,
// savepoints, and commits that others must not see before their own next transaction.
import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Contained, Folder, type RootFolder, Site } from '../../lib/content/index.js'
import { stored } from '../../lib/persistence/index.js'
import {
  type Grant,
  Group,
  grantsOf,
  IAuthentication,
  Interaction,
  type IPrincipal,
  Principal,
  PrincipalFolder,
  PrincipalInfo,
  type PrincipalRegistry,
  type Security,
  type Setting,
} from '../../lib/security/index.js'
import { aDatabase, closeDatabases, type TreeDatabase } from '../support/content-builders.js'
import { READ, READER, secure, WRITE, WRITER } from '../support/security-builders.js'

afterEach(closeDatabases)

@stored('security-property.Leaf')
class Leaf extends Contained {}

const FOLDERS = ['a', 'b', 'c', 'd', 'e'] as const
const IDS = ['bob', 'ada', 'g1', 'g2', 'g3'] as const
/** Kept in the site `a`; the others in memory. */
const STORED_IDS: readonly string[] = ['bob', 'g1', 'g2']
const PERMISSIONS = [READ, WRITE]
const ROLES = [READER, WRITER, 'zope.Anonymous', 'zope.Manager']

/** What a policy needs to know, as plain data. */
interface Model {
  readonly parents: Map<string, string | undefined>
  readonly rows: Map<string, Map<string, Setting>>
  readonly groups: Map<string, readonly string[]> // known in the site
}

/** What no transaction keeps. */
interface Memory {
  readonly rows: Map<string, Setting>
  readonly groups: Map<string, readonly string[]>
}

type Action =
  | { readonly do: 'grant'; readonly at: string; readonly grant: Grant; readonly setting: Setting }
  | { readonly do: 'move'; readonly what: string; readonly to: string }
  | { readonly do: 'groups'; readonly of: string; readonly groups: readonly string[] }
  | { readonly do: 'savepoint' }
  | { readonly do: 'rollback' }

const grant: fc.Arbitrary<Grant> = fc.oneof(
  fc.record({ principal: fc.constantFrom(...IDS), permission: fc.constantFrom(...PERMISSIONS) }),
  fc.record({ principal: fc.constantFrom(...IDS), role: fc.constantFrom(READER, WRITER) }),
  fc.record({ role: fc.constantFrom(...ROLES), permission: fc.constantFrom(...PERMISSIONS) }),
)
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('grant' as const),
      at: fc.constantFrom('global', 'root', ...FOLDERS),
      grant,
      setting: fc.constantFrom<Setting>('allow', 'deny', 'unset'),
    }),
  },
  fc.record({
    do: fc.constant('move' as const),
    what: fc.constantFrom(...FOLDERS),
    to: fc.constantFrom('root', ...FOLDERS),
  }),
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('groups' as const),
      of: fc.constantFrom(...IDS),
      groups: fc.uniqueArray(fc.constantFrom('g1', 'g2', 'g3'), { maxLength: 2 }),
    }),
  },
  { weight: 3, arbitrary: fc.constantFrom<Action>({ do: 'savepoint' }, { do: 'rollback' }) },
)
const step = fc.record({
  actions: fc.array(action, { minLength: 1, maxLength: 8 }),
  commits: fc.boolean(),
})

describe('Security policy', () => {
  test('remembers nothing that is not so', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        const world = await World.create()
        for (const { actions, commits } of steps) await world.play(actions, commits)
        await world.close()
      }),
      { numRuns: 60 },
    )
  }, 120_000)
})

class World {
  readonly #db: TreeDatabase
  readonly #security: Security
  readonly #extra: PrincipalRegistry
  readonly #memory: Memory = { rows: new Map(), groups: new Map() }
  #model: Model

  static async create(): Promise<World> {
    const db = await aDatabase()
    const security = secure(db)
    await db.transaction(({ root }) => {
      root.set('a', new Site()).set('b', new Folder()).set('c', new Folder())
      root.set('d', new Folder()).set('e', new Folder())
      const parents = parentsOf(START)
      for (const name of FOLDERS) folderOf(root, parents, name).set('leaf', new Leaf())
      const { siteManager } = root.getItem('a') as Site
      const people = siteManager.default.set('people', new PrincipalFolder())
      for (const id of STORED_IDS) people.set(id, id === 'bob' ? new Principal() : new Group())
      siteManager.registry.registerUtility(people, { provides: IAuthentication })
      for (const [place, grant, setting] of FIRST_ROWS) {
        grantsOf(folderOf(root, parents, place))[setting](grant)
      }
    })
    return new World(db, security)
  }

  private constructor(db: TreeDatabase, security: Security) {
    this.#db = db
    this.#security = security
    this.#extra = security.principals
    for (const id of IDS) {
      if (STORED_IDS.includes(id)) continue
      this.#extra.define(id)
      this.#memory.groups.set(id, [])
    }
    this.#memory.rows.set(keyOf({ role: 'zope.Anonymous', permission: 'zope.View' }), 'allow')
    this.#model = {
      parents: parentsOf(START),
      rows: rowsOf(FIRST_ROWS),
      groups: new Map(STORED_IDS.map((id) => [id, []])),
    }
  }

  /** One transaction, beside a view that began before it. */
  async play(actions: readonly Action[], commits: boolean): Promise<void> {
    const before = copyOf(this.#model)
    const changed = new Gate()
    const looked = new Gate()
    const view = this.#db.view(async ({ root }) => {
      this.#compare(root, before)
      looked.open()
      await changed.passed
      this.#compare(root, before)
    })
    await looked.passed
    const end = this.#change(actions, commits).finally(() => changed.open())
    await Promise.all([end, view])
    await this.#db.view(({ root }) => this.#compare(root, this.#model))
  }

  async #change(actions: readonly Action[], commits: boolean): Promise<void> {
    const model = copyOf(this.#model)
    const aborted = new Error('aborted')
    try {
      await this.#db.transaction(({ root, connection }) => {
        let saved: { readonly back: () => void; readonly model: Model } | undefined
        this.#compare(root, model)
        for (const one of actions) {
          if (one.do === 'savepoint') {
            const savepoint = connection.transaction?.savepoint()
            saved = { back: () => savepoint?.rollback(), model: copyOf(model) }
          } else if (one.do === 'rollback') {
            saved?.back()
            if (saved !== undefined) assign(model, copyOf(saved.model))
          } else {
            this.#apply(root, model, one)
          }
          this.#compare(root, model)
        }
        if (!commits) throw aborted
      })
      this.#model = model
    } catch (error) {
      if (error !== aborted) throw error
    }
  }

  #apply(root: RootFolder, model: Model, one: Exclude<Action, { do: 'savepoint' | 'rollback' }>) {
    if (one.do === 'grant') {
      const place =
        one.at === 'global'
          ? this.#security.grants
          : grantsOf(folderOf(root, model.parents, one.at))
      const rows =
        one.at === 'global' ? this.#memory.rows : getOrMake(model.rows, one.at, () => new Map())
      if (one.setting === 'unset') place.unset(one.grant)
      else place[one.setting](one.grant)
      rows.set(keyOf(one.grant), one.setting)
    } else if (one.do === 'move') {
      if (above(model, one.to).includes(one.what)) return
      const parent = model.parents.get(one.what) as string
      if (parent === one.to) return
      const from = folderOf(root, model.parents, parent)
      const to = folderOf(root, model.parents, one.to)
      const item = from.getItem(one.what)
      from.delete(one.what)
      to.set(one.what, item)
      model.parents.set(one.what, one.to)
    } else if (STORED_IDS.includes(one.of)) {
      const { siteManager } = folderOf(root, model.parents, 'a') as Site
      const people = siteManager.default.getItem('people') as PrincipalFolder
      people.getItem(one.of).groups = one.groups
      model.groups.set(one.of, one.groups)
    } else {
      this.#extra.setGroups(one.of, one.groups)
      this.#memory.groups.set(one.of, one.groups)
    }
  }

  #compare(root: RootFolder, model: Model): void {
    for (const name of ['root', ...FOLDERS]) {
      const folder = folderOf(root, model.parents, name)
      const leaf = name === 'root' ? undefined : folder.getItem('leaf')
      for (const principal of PRINCIPALS) {
        for (const permission of PERMISSIONS) {
          const expected = isAllowed(model, this.#memory, principal, permission, name)
          const interaction = new Interaction(principal)
          const who = `${principal.id} ${permission} ${name}`
          expect([who, interaction.isAllowed(permission, folder)]).toEqual([who, expected])
          if (leaf) expect([who, interaction.isAllowed(permission, leaf)]).toEqual([who, expected])
        }
      }
    }
  }

  close(): Promise<void> {
    return this.#db.close()
  }
}

/** `bob` is known in the site only; elsewhere the groups of this value count. */
const PRINCIPALS: readonly IPrincipal[] = [
  new PrincipalInfo('bob', { groups: ['g3'] }),
  new PrincipalInfo('ada'),
]

/** So that groups matter from the beginning. */
const FIRST_ROWS: readonly (readonly [place: string, grant: Grant, setting: 'allow' | 'deny'])[] = [
  ['root', { principal: 'g1', permission: READ }, 'allow'],
  ['root', { principal: 'g3', role: READER }, 'allow'],
  ['root', { role: READER, permission: WRITE }, 'allow'],
  ['a', { principal: 'g2', permission: READ }, 'deny'],
]

const START = { a: 'root', b: 'a', c: 'b', d: 'root', e: 'd' }

function parentsOf(parents: Readonly<Record<string, string>>): Map<string, string | undefined> {
  return new Map([['root', undefined], ...Object.entries(parents)])
}

// -- The policy without a memory, by recursion as upstream writes it

function isAllowed(
  model: Model,
  memory: Memory,
  principal: IPrincipal,
  permission: string,
  at: string,
): boolean {
  const places = [...above(model, at), 'global']
  const inSite = places.includes('a')
  const groupsOf = (id: string): readonly string[] | undefined =>
    (inSite ? model.groups.get(id) : undefined) ?? memory.groups.get(id)
  const said = (place: string, key: string): Setting | undefined =>
    (place === 'global' ? memory.rows : model.rows.get(place))?.get(key)
  const nearest = (key: string): boolean | undefined => {
    for (const place of places) {
      const setting = said(place, key) ?? 'unset'
      if (setting !== 'unset') return setting === 'allow'
    }
    return undefined
  }
  const ask = (
    id: string,
    groups: readonly string[],
    own: (id: string) => boolean | undefined,
    path: readonly string[],
  ): boolean | undefined => {
    const setting = own(id)
    if (setting !== undefined) return setting
    let denied: boolean | undefined
    for (const group of groups) {
      if (path.includes(group)) continue
      const further = groupsOf(group)
      if (further === undefined) continue
      const found = ask(group, further, own, [...path, group])
      if (found === true) return true
      if (found === false) denied = false
    }
    return denied
  }
  const groups = groupsOf(principal.id) ?? principal.groups ?? []
  const direct = ask(principal.id, groups, (id) => nearest(keyOf({ principal: id, permission })), [
    principal.id,
  ])
  if (direct !== undefined) return direct
  const roles = new Set(['zope.Manager'])
  for (const place of places.toReversed()) {
    for (const role of ROLES) {
      const setting = said(place, keyOf({ role, permission })) ?? 'unset'
      if (setting === 'allow') roles.add(role)
      if (setting === 'deny') roles.delete(role)
    }
  }
  return [...roles].some(
    (role) =>
      role === 'zope.Anonymous' ||
      ask(principal.id, groups, (id) => nearest(keyOf({ principal: id, role })), [principal.id]),
  )
}

/** The folder, and those above it. */
function above({ parents }: Model, name: string): string[] {
  const found: string[] = []
  for (let at: string | undefined = name; at !== undefined; at = parents.get(at)) found.push(at)
  return found
}

// -- Helpers

function folderOf(
  root: RootFolder,
  parents: ReadonlyMap<string, string | undefined>,
  name: string,
): Folder {
  const parent = parents.get(name)
  if (parent === undefined) return root
  return folderOf(root, parents, parent).getItem(name) as Folder
}

function keyOf({ principal, permission, role }: Grant): string {
  return [principal, permission, role].map((part) => part ?? '').join(' ')
}

function copyOf({ parents, rows, groups }: Model): Model {
  return {
    parents: new Map(parents),
    rows: new Map([...rows].map(([place, settings]) => [place, new Map(settings)])),
    groups: new Map(groups),
  }
}

function assign(model: Model, other: Model): void {
  for (const key of ['parents', 'rows', 'groups'] as const) {
    const map = model[key] as Map<string, unknown>
    map.clear()
    for (const [name, value] of other[key]) map.set(name, value)
  }
}

function rowsOf(first: typeof FIRST_ROWS): Map<string, Map<string, Setting>> {
  const rows = new Map<string, Map<string, Setting>>()
  for (const [place, one, setting] of first) {
    getOrMake(rows, place, () => new Map()).set(keyOf(one), setting)
  }
  return rows
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const value = map.get(key) ?? make()
  map.set(key, value)
  return value
}

class Gate {
  open: () => void = () => {}
  readonly passed = new Promise<void>((resolve) => (this.open = resolve))
}
