import { ComponentRegistry, changesInMemory, currentRegistry } from '../component/index.js'
import { registryAt } from '../content/index.js'
import type { Connection } from '../persistence/index.js'
import { authenticationsOf } from './find-principal.js'
import type { IAuthentication, IPrincipal } from './interfaces.js'
import type { Standing } from './standing.js'
import { newSubject, type Subject } from './subject.js'

/** A principal as an object's place knows it, and the permissions that were found there. */
export interface LocalSubject {
  readonly subject: Subject
  /** Ids of permissions that are known to be registered. */
  readonly permissions: Set<string>
}

/**
 * The principal at an object: its groups are asked of the authentications that serve the object, then
 * of those that serve this call.
 *
 * The answer is remembered as long as nothing in it can have changed: the transaction, what is written
 * in its connection, registries in memory, the authentications by their own stamps, and the principal's
 * own list of groups. An authentication without a stamp is asked each time.
 */
export function subjectAt(principal: IPrincipal, standing: Standing): LocalSubject {
  const current = currentRegistry()
  const known = remembered.get(principal)?.get(standing.context)
  if (known !== undefined && isCurrent(known, principal, standing, current)) return known
  return conclude(principal, standing, current)
}

interface Remembered extends LocalSubject {
  readonly connection: Connection
  readonly generation: number
  readonly writeStamp: number
  readonly registrations: number
  readonly current: ComponentRegistry
  readonly authentications: readonly IAuthentication[]
  readonly stamps: readonly unknown[]
  readonly groups: readonly string[] // the principal's own
}

const remembered = new WeakMap<IPrincipal, WeakMap<object, Remembered>>()

function isCurrent(
  known: Remembered,
  { groups = NO_GROUPS }: IPrincipal,
  { connection }: Standing,
  current: ComponentRegistry,
): boolean {
  return (
    known.connection === connection &&
    known.generation === connection.generation &&
    known.writeStamp === connection.writeStamp &&
    known.registrations === changesInMemory.stamp &&
    known.current === current &&
    isSame(known.groups, groups) &&
    areUnchanged(known)
  )
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false
  for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false
  return true
}

function areUnchanged({ authentications, stamps }: Remembered): boolean {
  for (let index = 0; index < stamps.length; index++) {
    if (authentications[index]?.stamp !== stamps[index]) return false
  }
  return true
}

function conclude(
  principal: IPrincipal,
  { context, connection }: Standing,
  current: ComponentRegistry,
): LocalSubject {
  const registry = registryOf(context)
  const registries = registry === current ? [registry] : [registry, current]
  const authentications = authenticationsOf(registries)
  const stamps = authentications.map(({ stamp }) => stamp)
  const subject = newSubject(principal, authentications)
  const local = { subject, permissions: new Set<string>() }
  const isLasting =
    connection !== undefined && !stamps.includes(undefined) && areSteady(registry, current)
  if (!isLasting) return local
  const record = {
    subject,
    permissions: local.permissions,
    connection,
    generation: connection.generation,
    writeStamp: connection.writeStamp,
    registrations: changesInMemory.stamp,
    current,
    authentications,
    stamps,
    groups: principal.groups?.slice() ?? NO_GROUPS,
  }
  remember(principal, context, record)
  return record
}

/** What serves the objects of a standing. */
export function registryOf(context: object): ComponentRegistry {
  if (context instanceof ComponentRegistry) return context
  return registryAt(context) ?? currentRegistry()
}

/**
 * Whether changes of the registries would be noticed: those in memory by their common stamp, those of
 * sites by the stamps of the object's own connection, as long as they are unchanged in it.
 */
function areSteady(registry: ComponentRegistry, current: ComponentRegistry): boolean {
  const near = registry.chain
  return (
    near.every(({ table }) => table.stamp !== undefined) &&
    (registry === current ||
      current.chain.every((one) => near.includes(one) || one.table.watch === changesInMemory))
  )
}

function remember(principal: IPrincipal, context: object, record: Remembered): void {
  const ofPrincipal = remembered.get(principal)
  if (ofPrincipal !== undefined) ofPrincipal.set(context, record)
  else remembered.set(principal, new WeakMap([[context, record]]))
}

const NO_GROUPS: readonly string[] = []
