import { codeOf } from '../foundation/index.js'
import type { StoredObject } from '../persistence/index.js'
import { type Oid, ROOT_OID } from '../storage/index.js'
import type { Parents } from './parents.js'

/** Where the root folder stands in the root mapping. */
const ROOT_FOLDER_KEY = 'root'
const MOST_STEPS = 1000

/** Paths of objects without their classes, and of objects that cannot be read, or are gone. */
export class ObjectPaths {
  readonly #parents: Parents
  readonly #read: (oid: Oid) => StoredObject | undefined
  readonly #known = new Map<Oid, string | undefined>([[ROOT_OID, 'rootMapping']])

  /** @param read - the object of an oid, `undefined` when it is gone; may throw when it is damaged. */
  constructor(parents: Parents, read: (oid: Oid) => StoredObject | undefined) {
    this.#parents = parents
    this.#read = read
  }

  /** `undefined` for what nothing leads to. */
  pathOf(oid: Oid, steps = 0): string | undefined {
    if (steps > MOST_STEPS) return undefined
    if (!this.#known.has(oid)) {
      this.#known.set(oid, undefined) // also for who comes round to it
      this.#known.set(oid, this.#byPlace(oid, steps) ?? this.#byParent(oid, steps))
    }
    return this.#known.get(oid)
  }

  /** As the object says itself. */
  #byPlace(oid: Oid, steps: number): string | undefined {
    const place = this.#readable(oid)?.place
    const parent = place === undefined ? undefined : this.pathOf(place.parent, steps + 1)
    return place === undefined || parent === undefined ? undefined : joined(parent, place.name)
  }

  /** As what leads to it says. */
  #byParent(oid: Oid, steps: number): string | undefined {
    const parent = this.#parents.get(oid)
    const path = parent === undefined ? undefined : this.pathOf(parent, steps + 1)
    if (parent === undefined || path === undefined) return undefined
    const object = this.#readable(parent)
    const step = object?.stepTo(oid)
    const owner = object?.isNode ? path.slice(0, -NODE_SUFFIX.length) : path
    if (step === undefined) return undefined
    if (step === 'node') return `${owner}${NODE_SUFFIX}`
    if ('field' in step) return `${owner}.${step.field}`
    const isRoot = step.key === ROOT_FOLDER_KEY && owner === this.#known.get(ROOT_OID)
    return isRoot ? '/' : joined(owner, keyText(step.key))
  }

  #readable(oid: Oid): StoredObject | undefined {
    try {
      return this.#read(oid)
    } catch (error) {
      if (codeOf(error) === undefined) throw error
      return undefined
    }
  }
}

/** How the nodes of an object's tree are called. */
const NODE_SUFFIX = '.__tree__'

function joined(path: string, name: string): string {
  const encoded = name.replace(/[%/]/g, (found) => (found === '/' ? '%2F' : '%25'))
  return path === '/' ? `/${encoded}` : `${path}/${encoded}`
}

function keyText(key: unknown): string {
  return Array.isArray(key) ? `[${key.map(keyText).join(',')}]` : String(key)
}
