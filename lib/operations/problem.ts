import type { Oid, Tid } from '../storage/index.js'

/**
 * What can be wrong with a database.
 *
 * | kind                 | what it means                                                          |
 * | -------------------- | ---------------------------------------------------------------------- |
 * | `damagedFile`        | a part of one of LevelDB's files is not what was once written, or is missing |
 * | `unopenable`         | the database cannot be opened: only its files could be verified        |
 * | `damagedRow`         | a row of the storage is not what was once written                      |
 * | `unknownRow`         | a row that treehook does not write                                     |
 * | `missingTransaction` | the row of a transaction is gone that must be there                    |
 * | `missingRevision`    | an earlier revision is gone, or damaged, that the kept history has     |
 * | `damagedObject`      | the newest record of an object is not what was once written            |
 * | `lostObject`         | something leads to an object that is not there                         |
 * | `outdatedObject`     | the record of an object is older than a transaction's row says         |
 * | `unknownClass`       | an object is of a class that the database does not name                |
 * | `damagedTree`        | keys, levels, sizes or separators of a tree contradict one another     |
 * | `missingBlob`        | the content of a blob is not there                                     |
 * | `damagedBlob`        | the content of a blob is not what was once written                     |
 * | `contradiction`      | numbers of the storage contradict one another                          |
 * @public
 */
export type ProblemKind =
  | 'damagedFile'
  | 'unopenable'
  | 'damagedRow'
  | 'unknownRow'
  | 'missingTransaction'
  | 'missingRevision'
  | 'damagedObject'
  | 'lostObject'
  | 'outdatedObject'
  | 'unknownClass'
  | 'damagedTree'
  | 'missingBlob'
  | 'damagedBlob'
  | 'contradiction'

/** An object, by number and by path. @public */
export interface NamedObject {
  readonly oid: Oid
  /** `/NOAA/NWS/OUN/employees/Bob`; of what is no item of a folder the way there, by fields and keys. */
  readonly path?: string
}

/** One thing that is wrong. @public */
export interface Problem extends Partial<NamedObject> {
  readonly kind: ProblemKind
  readonly tid?: Tid
  /** In the database's directory. */
  readonly file?: string
  /** In bytes. */
  readonly offset?: number
  /** A damaged part of a file holds, or held, objects between these, both included. */
  readonly oids?: { readonly from: number; readonly to: number }
  /** The objects that a damaged part of a file holds, or held, as far as something still names them: at
   * most a hundred. */
  readonly objects?: readonly NamedObject[]
  /** In words, with all of the above. */
  readonly message: string
}
