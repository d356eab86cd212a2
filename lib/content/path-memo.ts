import {
  type Connection,
  connectionOf,
  isPersistent,
  type Oid,
  oidOf,
  type Persistent,
  serialOf,
  stateOf,
  type Tid,
} from '../persistence/index.js'
import type { RootFolder } from './container.js'

/**
 * Where paths from one root folder led, which is to say: of one connection. What stands here is as
 * it was committed, so it holds
 *
 * - as long as the connection's transactions see the same commit,
 * - for a transaction that has changed none of the containers on the way,
 * - and not where reads are noted, which these would bypass.
 *
 * Therefore moves, removals, aborts, rollbacks and the commits of others need not be told.
 */
export class PathMemo {
  #recent = new Map<string, Found>()
  #older = new Map<string, Found>()

  static of(root: RootFolder): PathMemo {
    let memo = memos.get(root)
    if (memo === undefined) {
      memo = new PathMemo()
      memos.set(root, memo)
    }
    return memo
  }

  /** The object at the path, when that is certain. */
  query(path: string): Persistent | undefined {
    const found = this.#recent.get(path) ?? this.#promoted(path)
    if (found === undefined) return undefined
    const { connection, containers } = found
    if (connection.seenTid !== found.seenTid || !mayRemember(connection)) return undefined
    for (let index = 0; index < containers.length; index++) {
      if (stateOf(containers[index]!) === 'changed') return undefined
    }
    return found.generation === connection.generation ? found.object : broughtUp(found)
  }

  /** @param containers - that the path led through, the root folder first. */
  remember(path: string, containers: readonly Persistent[], object: object): void {
    const connection = connectionOf(containers[0]!)
    if (connection === undefined || !mayRemember(connection)) return
    if (!isPersistent(object) || connectionOf(object) !== connection) return
    for (const one of containers) {
      if (connectionOf(one) !== connection || stateOf(one) === 'changed') return
    }
    const { seenTid, generation } = connection
    const oid = oidOf(object) as Oid
    this.#add(path, { connection, seenTid, generation, containers, oid, object })
  }

  #add(path: string, found: Found): void {
    if (this.#recent.size >= HALF) {
      this.#older = this.#recent
      this.#recent = new Map()
    }
    this.#recent.set(path, found)
  }

  #promoted(path: string): Found | undefined {
    const found = this.#older.get(path)
    if (found === undefined) return undefined
    this.#older.delete(path)
    this.#add(path, found)
    return found
  }
}

const memos = new WeakMap<RootFolder, PathMemo>()
/** Of the paths that one memo keeps, at most; those used last stay. */
const HALF = 1000

interface Found {
  readonly connection: Connection
  readonly seenTid: Tid
  /** Of the last transaction that asked. */
  generation: number
  readonly containers: readonly Persistent[]
  readonly oid: Oid
  readonly object: Persistent
}

function mayRemember(connection: Connection): boolean {
  return connection.reads === undefined && connection.transaction?.status === 'active'
}

/** Of an earlier transaction; as a walk would, it makes sure that the caller may read here. */
function broughtUp(found: Found): Persistent | undefined {
  const { connection, containers, oid, object } = found
  serialOf(containers[0]!)
  if (connection.query(oid) !== object) return undefined
  found.generation = connection.generation
  return object
}
