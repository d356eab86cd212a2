export { type BackupOptions, type BackupReport, backup, type CopyProgress } from './backup.js'
export { type CopyOptions, type CopyReport, copyStorage } from './copy-storage.js'
export {
  DamagedBackupError,
  InvalidOperationOptionError,
  NoBackupError,
  OtherDatabaseError,
  operationsErrors,
} from './errors.js'
export type { NamedObject, Problem, ProblemKind } from './problem.js'
export { type RestoreOptions, type RestoreReport, restore } from './restore.js'
export { type VerifyOptions, type VerifyProgress, type VerifyReport, verify } from './verify.js'
export {
  type BackupProblem,
  type VerifyBackupOptions,
  type VerifyBackupReport,
  verifyBackup,
} from './verify-backup.js'
