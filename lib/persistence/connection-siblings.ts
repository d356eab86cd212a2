import type { TransactionManager } from '../transaction/index.js'
import type { Connection, Isolation } from './connection.js'
import { groupedAs, type Member } from './database-group.js'
import { describeObject } from './describe.js'
import { ForeignObjectError, UnknownDatabaseError } from './errors.js'
import type { ObjectDatabase } from './object-database.js'
import { type Persistent, slotsOf } from './persistent.js'
import { CrossReference } from './reference.js'

/** How a connection works that stands beside others. */
export interface SiblingTerms {
  readonly transactionManager: TransactionManager
  readonly isScoped: boolean
  readonly isReadOnly: boolean
  readonly isolation: Isolation
}

/** The connections to the databases of one group that work in the same transactions. */
export class ConnectionSiblings {
  readonly #byName: Map<string, Connection>

  /** @throws PERSISTENCE_UNKNOWN_DATABASE when the database of the first is in no group. */
  constructor(first: Connection) {
    this.#byName = new Map([[memberOf(first.database).name, first]])
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.#byName.values()
  }

  /**
   * The connection to the database of this name, made when there is none yet.
   * @throws PERSISTENCE_UNKNOWN_DATABASE, STORAGE_CLOSED
   */
  get(name: string, asker: Connection, terms: SiblingTerms): Connection {
    const known = this.#byName.get(name)
    if (known !== undefined && !known.isClosed) return known
    const database = memberOf(asker.database).group.get(name)
    const made = database.connectBeside({ ...terms, siblings: this })
    this.#byName.set(name, made)
    return made
  }

  /**
   * The reference from the database of one of them to an object of another one's.
   * @returns `undefined` when the object is of none of them.
   * @throws PERSISTENCE_FOREIGN_OBJECT when such references are not allowed, or the object is new and
   *   was not given to the database that it was found in first.
   */
  crossReference(object: Persistent, from: Connection): CrossReference | undefined {
    const { owner, oid, committed, generation } = slotsOf(object)
    for (const sibling of this) {
      if (sibling !== owner) continue
      const [here, there] = [memberOf(from.database), memberOf(sibling.database)]
      if (!here.crossReferences) throw crossing(object, here, there)
      const isNew = committed === undefined && generation === owner.generation
      if (isNew && !sibling.isGiven(object)) throw ambiguous(object, here, there)
      return new CrossReference(there.name, oid)
    }
    return undefined
  }
}

/** @throws PERSISTENCE_UNKNOWN_DATABASE */
function memberOf(database: ObjectDatabase): Member {
  const member = groupedAs(database)
  if (member !== undefined) return member
  throw new UnknownDatabaseError(
    `The database in ${database.location} is in no group: add it to a DatabaseGroup.`,
    { details: { location: database.location } },
  )
}

function crossing(object: Persistent, here: Member, there: Member): ForeignObjectError {
  return new ForeignObjectError(
    `${describeObject(object)} is of the database ${there.name}, and the database ${here.name} was added to its ` +
      'group without cross references. Store the oid or a name instead, or add it with crossReferences.',
    { details: { from: here.name, to: there.name } },
  )
}

function ambiguous(object: Persistent, here: Member, there: Member): ForeignObjectError {
  return new ForeignObjectError(
    `${describeObject(object)} is new, and both ${there.name} and ${here.name} lead to it: which database is it to ` +
      'be stored in? Say so with the add method of a connection to that one.',
    { details: { from: here.name, to: there.name } },
  )
}
