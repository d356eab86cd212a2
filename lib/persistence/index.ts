export type { Oid, Tid } from '../storage/index.js'
export { BTree } from './btree/b-tree.js'
export type { Key } from './btree/keys.js'
export {
  treeClear,
  treeDelete,
  treeEntries,
  treeGet,
  treeHas,
  treeKeys,
  treeSet,
  treeSize,
  treeTouch,
} from './btree/tree-access.js'
export type { RangeOptions } from './btree/tree-reading.js'
export { HAS_TREE, type PersistentClass } from './class-layout.js'
export { classNamed, stored, storedNameOf } from './class-registry.js'
export type { DatabaseCounters } from './committed-store.js'
export { Connection, connectionOf } from './connection.js'
export { describeObject, setPathDescriber } from './describe.js'
export {
  AlreadyConnectedError,
  ConnectionClosedError,
  DanglingReferenceError,
  ForeignObjectError,
  InvalidClassError,
  InvalidKeyError,
  OutsideTransactionError,
  persistenceErrors,
  ReadOnlyTransactionError,
  StaleObjectError,
  UnknownClassError,
  UnstorableValueError,
} from './errors.js'
export { definePersistent, type FieldOptions, field } from './field.js'
export {
  ObjectDatabase,
  type ObjectDatabaseOptions,
  type TransactionContext,
} from './object-database.js'
export {
  isPersistent,
  type ObjectState,
  oidOf,
  Persistent,
  serialOf,
  stateOf,
} from './persistent.js'
export { plain } from './stored-value.js'
