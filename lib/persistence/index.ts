import './inspect-object.js'

export type { Oid, Tid } from '../storage/index.js'
export { Blob, type BlobRange } from './blob.js'
export { type BlobContent, blobContentOf } from './blob-content.js'
export type { BlobInput } from './blob-input.js'
export { BrokenObject } from './broken-object.js'
export { BTree } from './btree/b-tree.js'
export { KeySequence } from './btree/key-sequence.js'
export type { Key } from './btree/keys.js'
export {
  difference,
  intersection,
  type KeyOperand,
  type KeySource,
  multiunion,
  symmetricDifference,
  union,
  type Weights,
  weightedIntersection,
  weightedUnion,
} from './btree/set-operations.js'
export {
  treeCheck,
  treeClear,
  treeDelete,
  treeEntries,
  treeGet,
  treeHas,
  treeInsert,
  treeKeys,
  treeSet,
  treeSize,
  treeTouch,
  treeValues,
} from './btree/tree-access.js'
export { checkTree, type TreeProblem } from './btree/tree-check.js'
export type { TreeNode } from './btree/tree-node.js'
export { type PageOptions, pagesOf } from './btree/tree-pages.js'
export type { RangeOptions } from './btree/tree-range.js'
export type { NodeSource } from './btree/tree-reading.js'
export { TreeSet } from './btree/tree-set.js'
export type { ChangeFeedOptions, CommittedChange } from './change-feed.js'
export { changedFieldsOf } from './changed-fields.js'
export type { EvolvingClass } from './class-evolution.js'
export { HAS_TREE, hasLayout, type PersistentClass } from './class-layout.js'
export { classNamed, type StoredOptions, stored, storedNameOf } from './class-registry.js'
export type { ClassFactory, OnMissingClass } from './class-table.js'
export { type CloneOptions, cloneOf } from './clone.js'
export type { DatabaseCounters } from './committed-store.js'
export { type ConflictResolver, type ConflictStates, ObjectStub } from './conflict-resolver.js'
export { Connection, connectionOf, type Isolation } from './connection.js'
export { ConnectionContext, type TransactionContext } from './connection-context.js'
export type { CustomState } from './custom-state.js'
export { DatabaseGroup, type GroupedOptions } from './database-group.js'
export { describeObject, setPathDescriber } from './describe.js'
export {
  AlreadyConnectedError,
  AlreadyPackingError,
  BlobDamagedError,
  BlobDiscardedError,
  BlobMissingError,
  BlobUnfinishedError,
  BrokenObjectError,
  ConnectionClosedError,
  DanglingReferenceError,
  DuplicateDatabaseError,
  EvolutionError,
  ForeignObjectError,
  FutureInstantError,
  InvalidClassError,
  InvalidDatabaseOptionError,
  InvalidExportError,
  InvalidInstantError,
  InvalidKeyError,
  InvalidNumberError,
  InvalidRangeError,
  KeyNotFoundError,
  LargeRecordError,
  OutsideTransactionError,
  persistenceErrors,
  ReadOnlyTransactionError,
  StaleObjectError,
  TruncatedExportError,
  type UndoConflict,
  UndoError,
  UnknownClassError,
  UnknownDatabaseError,
  UnstorableValueError,
} from './errors.js'
export type { ExportOptions, ExportProgress } from './export-format.js'
export {
  type ExportCandidate,
  type ExportSummary,
  exportSubtree,
  type SubtreeContext,
  type SubtreeOptions,
} from './export-subtree.js'
export {
  definePersistent,
  type FieldOptions,
  field,
  type RenamedFieldOptions,
} from './field.js'
export { type ImportOptions, type ImportSummary, importObject } from './import-object.js'
export type { Instant } from './instant.js'
export { KEPT_BY_UNDO } from './kept-by-undo.js'
export { Length } from './length.js'
export { marksOf, setMarkedClassListener, setMarks } from './marks.js'
export { ObjectDatabase } from './object-database.js'
export { type ObjectDatabaseOptions, objectDatabaseOptionRules } from './object-database-options.js'
export type { HistoryEntry, HistoryOptions } from './object-history.js'
export { oidsOfClass } from './objects-of-class.js'
export type { PackOptions, PackProgress, PackReport } from './pack.js'
export {
  awaitChanges,
  estimatedSizeOf,
  isPersistent,
  type ObjectState,
  oidOf,
  Persistent,
  serialOf,
  stateOf,
} from './persistent.js'
export { PersistentList } from './persistent-list.js'
export { type MapKey, PersistentMap } from './persistent-map.js'
export { Reachability } from './reachability.js'
export { checkStoredTree, isTreeClass, StoredObject, type StoredStep } from './stored-object.js'
export { referencesOf, type StoredReferences } from './stored-references.js'
export { plain } from './stored-value.js'
export { TimeSlice } from './time-slice.js'
export type { TransactionOptions } from './transaction-runner.js'
export type { UndoLogEntry, UndoLogOptions } from './undo-log.js'
export { WeakReference } from './weak-reference.js'
