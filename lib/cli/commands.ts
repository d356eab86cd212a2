import { type PrintTreeOptions, queryRootFolder, traverse, treeLines } from '../content/index.js'
import { backup, type Problem, restore, verify, verifyBackup } from '../operations/index.js'
import { ObjectDatabase } from '../persistence/index.js'
import { createDirectoryStorage, formatTid, type Tid, toTid } from '../storage/index.js'
import type { Console } from './run-command.js'

/** What a command works with. */
export interface CommandCall {
  readonly positionals: readonly string[]
  readonly values: Readonly<Record<string, string | boolean | undefined>>
  readonly console: Console
  readonly signal: AbortSignal | undefined
}

/** One thing that `treehook` can do. */
export interface Command {
  readonly name: string
  /** The directories that it takes, in order. */
  readonly places: readonly string[]
  /** What may stand behind them. */
  readonly optionalPlace?: string
  readonly options: Readonly<Record<string, { readonly type: 'boolean' | 'string' }>>
  /** In one sentence. */
  readonly what: string
  /** @returns whether all is well. */
  run(call: CommandCall): Promise<boolean>
}

const VERIFY: Command = {
  name: 'verify',
  places: ['database'],
  options: {},
  what: 'Compares every checksum of a database that is not in use, and follows every reference.',
  async run({ positionals: [location = ''], console, signal }) {
    const onProblem = (problem: Problem) => console.out(`${problem.kind}: ${problem.message}`)
    const report = await verify(location, { onProblem, ...(signal && { signal }) })
    const { problems, objects, unreachable, files, blobs } = report
    console.out(
      `${objects} objects (${unreachable} unreachable), ${blobs} blobs, ${files} files: ${problems.length} problems`,
    )
    return report.ok
  },
}

const BACKUP: Command = {
  name: 'backup',
  places: ['database', 'backups'],
  options: { full: { type: 'boolean' } },
  what: 'Adds a backup of a database that is not in use; a running application calls backup() itself.',
  async run({ positionals: [location = '', backups = ''], values, console, signal }) {
    const storage = createDirectoryStorage(location, { readOnly: true })
    await storage.open()
    try {
      const report = await backup(storage, backups, { full: values.full === true, signal })
      const what = report.kind === 'unchanged' ? 'unchanged since' : report.kind
      console.out(`${what} backup ${report.number}: transaction ${formatTid(report.tid)}`)
      return true
    } finally {
      await storage.close()
    }
  },
}

const VERIFY_BACKUP: Command = {
  name: 'verify-backup',
  places: ['backups'],
  options: {},
  what: 'Reads every byte of the backups in a directory.',
  async run({ positionals: [backups = ''], console, signal }) {
    const report = await verifyBackup(backups, { signal })
    for (const { message } of report.problems) console.out(message)
    console.out(
      `${report.backups} backups, ${report.bytes} bytes: ${report.problems.length} problems`,
    )
    return report.ok
  },
}

const RESTORE: Command = {
  name: 'restore',
  places: ['backups', 'database'],
  options: { 'up-to': { type: 'string' } },
  what: 'Makes a database of backups; --up-to takes a time (2026-11-22T12:00:00Z) or a transaction (16 digits).',
  async run({ positionals: [backups = '', location = ''], values, console, signal }) {
    const upTo = values['up-to'] === undefined ? undefined : instantOf(String(values['up-to']))
    const report = await restore(backups, location, { upTo, signal })
    console.out(`restored ${location}: transaction ${formatTid(report.tid)}`)
    return true
  },
}

const TREE: Command = {
  name: 'tree',
  places: ['database'],
  optionalPlace: 'path',
  options: {
    depth: { type: 'string' },
    items: { type: 'string' },
    'site-managers': { type: 'boolean' },
    details: { type: 'boolean' },
  },
  what: 'Prints what is in a database that is not in use, from the root or from a path; --depth and --items limit it.',
  async run({ positionals: [location = '', path = '/'], values, console, signal }) {
    const options = treeOptions(values)
    // Without the application's classes its objects are broken: they are shown all the same.
    await using database = await ObjectDatabase.open(location, {
      readOnly: true,
      onMissingClass: 'broken',
    })
    await database.view(({ connection }) => {
      const root = queryRootFolder(connection)
      if (root === undefined) throw new Error(`There are no folders in ${location}.`)
      for (const line of treeLines(traverse(root, path), options)) {
        signal?.throwIfAborted()
        console.out(line)
      }
    })
    return true
  },
}

/** By name. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  [VERIFY, BACKUP, VERIFY_BACKUP, RESTORE, TREE].map((command) => [command.name, command]),
)

/** As people write it: a time, or a transaction as it is printed. */
function instantOf(text: string): Tid | Date {
  if (/^[0-9a-f]{16}$/i.test(text)) return toTid(text)
  const date = new Date(text)
  if (!Number.isNaN(date.getTime())) return date
  throw new Error(`${JSON.stringify(text)} is no time and no transaction`)
}

function treeOptions(values: CommandCall['values']): PrintTreeOptions {
  const depth = count('depth', values.depth)
  const items = count('items', values.items)
  return {
    siteManagers: values['site-managers'] === true,
    details: values.details === true,
    ...(depth !== undefined && { depth }),
    ...(items !== undefined && { items }),
  }
}

function count(option: string, value: string | boolean | undefined): number | undefined {
  if (value === undefined) return undefined
  if (/^\d+$/.test(String(value))) return Number(value)
  throw new Error(`--${option} takes a number of at least 0, not ${JSON.stringify(value)}`)
}
