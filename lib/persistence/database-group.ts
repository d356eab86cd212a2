import { DuplicateDatabaseError, UnknownDatabaseError } from './errors.js'
import type { ObjectDatabase } from './object-database.js'

/** How a database takes part in a group. @public */
export interface GroupedOptions {
  /** Its objects may refer to objects of the others. @defaultValue true */
  readonly crossReferences?: boolean | undefined
}

/** A database in a group. @internal */
export interface Member {
  readonly group: DatabaseGroup
  readonly name: string
  readonly database: ObjectDatabase
  readonly crossReferences: boolean
}

const members = new WeakMap<ObjectDatabase, Member>()

/** What a database is in its group; `undefined` when it is in none. @internal */
export function groupedAs(database: ObjectDatabase): Member | undefined {
  return members.get(database)
}

/**
 * Databases that share transactions, and refer to one another's objects by name and oid. The names
 * stand in stored references: give a database the same one each time.
 *
 * ```ts
 * const databases = new DatabaseGroup()
 * databases.add('main', main)
 * databases.add('archive', archive)
 * await main.transaction(({ connection, rootMapping }) => {
 *   const old = connection.getConnection('archive').rootMapping
 *   old.set('2025', rootMapping.get('report'))
 * })
 * ```
 *
 * A transaction over several is voted on by all before the first is written. Each has a log of its
 * own: when the machine fails between two writes, the first is there and the second is not. Undo,
 * pack, export, backup and views of the past are of one database each; a pack of a database that
 * others refer to needs their references as `keep`.
 *
 * Source: `ZODB.DB`'s `databases`, `database_name` and `xrefs`.
 * @public
 */
export class DatabaseGroup {
  readonly #members = new Map<string, Member>()

  /**
   * Takes a database in, for as long as it is open.
   * @throws PERSISTENCE_DUPLICATE_DATABASE when the name is taken by another open database, or the
   *   database is in a group already.
   */
  add(name: string, database: ObjectDatabase, options: GroupedOptions = {}): void {
    const taken = this.#members.get(name)
    if (taken?.database.isOpen === true) {
      throw new DuplicateDatabaseError(
        `The group has a database named ${name} already, in ${taken.database.location}. Choose another name.`,
        { details: { name } },
      )
    }
    const other = members.get(database)
    if (other !== undefined) {
      throw new DuplicateDatabaseError(
        `The database in ${database.location} is in a group already, as ${other.name}.`,
        { details: { name, other: other.name } },
      )
    }
    const { crossReferences = true } = options
    const member = { group: this, name, database, crossReferences }
    members.set(database, member)
    this.#members.set(name, member)
  }

  /** In the order in which they came. */
  get names(): readonly string[] {
    return [...this.#members.keys()]
  }

  /** @throws PERSISTENCE_UNKNOWN_DATABASE */
  get(name: string): ObjectDatabase {
    const member = this.#members.get(name)
    if (member !== undefined) return member.database
    throw new UnknownDatabaseError(
      `The group has no database named ${name}: it has ${this.names.join(', ') || 'none'}. Add it to the group first.`,
      { details: { name } },
    )
  }
}
