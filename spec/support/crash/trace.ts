/**
 * What a process does to the files of a directory, as the kernel saw it: system calls recorded by
 * strace, with all bytes written.
 */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { start } from './programs.js'

/** A change of names. `create` leaves the file empty, `open` leaves it as it was when it was there. */
export type NameEvent =
  | { readonly kind: 'create' | 'open' | 'unlink' | 'mkdir'; readonly path: string }
  | { readonly kind: 'rename' | 'link'; readonly path: string; readonly to: string }

/** One call's effect on the files of the directory, or what the process told the world. */
export type FileEvent =
  | NameEvent
  /** `offset` -1: at the end. */
  | {
      readonly kind: 'write'
      readonly path: string
      readonly offset: number
      readonly bytes: Buffer
    }
  /** `id` pairs the beginning with the end; only what was there at the beginning is then on disk. */
  | { readonly kind: 'syncBegin' | 'syncEnd'; readonly path: string; readonly id: number }
  /** The process was killed in a call on this file: nobody can tell whether it was carried out. */
  | { readonly kind: 'cutOff'; readonly path: string }
  | { readonly kind: 'said'; readonly text: string }

/** Why there is no tracer, or `undefined` when there is one that works. */
export function whyNoTracer(): string | undefined {
  const { error, status, stderr } = spawnSync('strace', [
    '-f',
    '--seccomp-bpf',
    '-qq',
    '-o',
    '/dev/null',
    'true',
  ])
  if (error !== undefined) return 'strace is not installed (Debian: apt-get install strace)'
  return status === 0 ? undefined : `strace cannot trace here: ${String(stderr).trim()}`
}

/** Runs a command under strace. @returns what it did below `directory`, in order. */
export async function traceOf(
  command: readonly string[],
  { directory, log }: { readonly directory: string; readonly log: string },
): Promise<FileEvent[]> {
  const child = start(['strace', ...OPTIONS, '-e', `trace=${CALLS.join()}`, '-o', log, ...command])
  child.stdout!.resume()
  await once(child, 'close')
  return parseTrace(readFileSync(log, 'latin1'), directory)
}

const OPTIONS = ['-f', '--seccomp-bpf', '-qq', '-y', '-xx', '-s', '33554432', '-e', 'signal=none']

const WRITES = ['write', 'pwrite64', 'writev']
const SYNCS = ['fsync', 'fdatasync']
const NAMES = [
  'open',
  'openat',
  'rename',
  'renameat',
  'renameat2',
  'unlink',
  'unlinkat',
  'mkdir',
  'mkdirat',
  'link',
  'linkat',
]
/** No call that the library makes; should one appear, the model must learn it. */
const UNKNOWN = [
  'creat',
  'pwritev',
  'pwritev2',
  'symlink',
  'symlinkat',
  'rmdir',
  'truncate',
  'ftruncate',
  'fallocate',
  'copy_file_range',
  'sendfile',
  'mmap',
]
/** Not all exist on all machines. */
const CALLS = [...WRITES, ...SYNCS, ...NAMES, ...UNKNOWN].map((name) => `?${name}`)

interface Call {
  readonly name: string
  /** The arguments, as strace writes them. */
  readonly text: string
  /** What it returned, as strace writes it; empty when it never did. */
  readonly result: string
  readonly beganAt: number
  readonly endedAt: number
}

/** @throws Error at a call that changes files in a way the events cannot say. */
export function parseTrace(trace: string, directory: string): FileEvent[] {
  const events: { readonly at: number; readonly event: FileEvent }[] = []
  for (const call of callsOf(trace)) {
    if (call.result.startsWith('-1')) continue
    const said = saidBy(call)
    if (said !== undefined) events.push({ at: call.beganAt, event: { kind: 'said', text: said } })
    else if (namesPlace(call, directory)) events.push(...eventsOf(call))
  }
  return events.sort((one, other) => one.at - other.at).map(({ event }) => event)
}

/** Calls of other threads stand between the beginning and the end of a call that waits. */
function callsOf(trace: string): Call[] {
  const calls: Call[] = []
  const begun = new Map<string, { readonly text: string; readonly at: number }>() // by thread
  trace.split('\n').forEach((line, at) => {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    if (rest.endsWith(UNFINISHED)) {
      begun.set(thread, { text: rest.slice(0, -UNFINISHED.length), at })
      return
    }
    const resumed = /^<\.\.\. \w+ resumed>/.exec(rest)
    const beginning = resumed === null ? undefined : begun.get(thread)
    if (resumed !== null) begun.delete(thread)
    const text = (beginning?.text ?? '') + rest.slice(resumed?.[0].length ?? 0)
    const call = callOf(text, beginning?.at ?? at, at)
    if (call !== undefined) calls.push(call)
  })
  for (const { text, at } of begun.values()) {
    const call = callOf(`${text}) = ?`, at, Number.POSITIVE_INFINITY)
    if (call !== undefined) calls.push(call)
  }
  return calls
}

const UNFINISHED = ' <unfinished ...>'

function callOf(line: string, beganAt: number, endedAt: number): Call | undefined {
  const open = line.indexOf('(')
  const close = line.lastIndexOf(') ')
  if (open < 1 || close < 0) return undefined
  const result = line.slice(line.indexOf('= ', close) + 2)
  return {
    name: line.slice(0, open),
    text: line.slice(open + 1, close),
    result: result === '?' || result.startsWith('? ') ? '' : result,
    beganAt,
    endedAt,
  }
}

function saidBy({ name, text }: Call): string | undefined {
  return WRITES.includes(name) && text.startsWith('1<')
    ? Buffer.concat(stringsOf(text)).toString()
    : undefined
}

function namesPlace({ name, text, result }: Call, directory: string): boolean {
  const place = [...Buffer.from(directory)].map(
    (byte) => `\\x${byte.toString(16).padStart(2, '0')}`,
  )
  const hex = place.join('')
  // A descriptor's path is the whole of it; what a write writes may hold any bytes.
  return WRITES.includes(name)
    ? text.slice(0, text.indexOf('>')).includes(hex)
    : (text + result).includes(hex)
}

function eventsOf(call: Call): { readonly at: number; readonly event: FileEvent }[] {
  const { name, text, result, beganAt, endedAt } = call
  if (name === 'mmap' && !(text.includes('MAP_SHARED') && text.includes('PROT_WRITE'))) return []
  if (UNKNOWN.includes(name))
    throw new Error(`The disk model knows no ${name}: ${text.slice(0, 200)}`)
  if (result === '') {
    return pathsOf(call).map((path) => ({ at: beganAt, event: { kind: 'cutOff', path } }))
  }
  const isOnDescriptor = WRITES.includes(name) || SYNCS.includes(name)
  const path = isOnDescriptor ? pathOfDescriptor(text) : undefined
  if (WRITES.includes(name) && path !== undefined) {
    return [{ at: beganAt, event: writeOf(call, path) }]
  }
  if (SYNCS.includes(name) && path !== undefined) {
    return [
      { at: beganAt, event: { kind: 'syncBegin', path, id: beganAt } },
      { at: endedAt, event: { kind: 'syncEnd', path, id: beganAt } },
    ]
  }
  const event = isOnDescriptor ? undefined : nameEventOf(call)
  return event === undefined ? [] : [{ at: endedAt, event }]
}

/** All files that a call names. */
function pathsOf({ name, text }: Call): string[] {
  const path = pathOfDescriptor(text)
  if (WRITES.includes(name) || SYNCS.includes(name)) return path === undefined ? [] : [path]
  return namesIn(text)
}

function writeOf({ name, text, result }: Call, path: string): FileEvent {
  const bytes = Buffer.concat(stringsOf(text)).subarray(0, Number.parseInt(result, 10))
  const offset = name === 'pwrite64' ? Number(text.slice(text.lastIndexOf(', ') + 2)) : -1
  return { kind: 'write', path, offset, bytes }
}

function nameEventOf({ name, text, result }: Call): NameEvent | undefined {
  if (name.startsWith('open')) {
    const path = pathOfDescriptor(result)
    if (path === undefined) return undefined
    if (/\bO_TRUNC\b/.test(text)) return { kind: 'create', path }
    return /\bO_CREAT\b/.test(text) ? { kind: 'open', path } : undefined
  }
  const [path = '', to = ''] = namesIn(text)
  if (name.startsWith('rename')) return { kind: 'rename', path, to }
  if (name.startsWith('link')) return { kind: 'link', path, to }
  return { kind: name.startsWith('mkdir') ? 'mkdir' : 'unlink', path }
}

/** `undefined` when the file has no name any more. */
function pathOfDescriptor(text: string): string | undefined {
  const [, hex, deleted] = /^\d+<((?:\\x[0-9a-f]{2})*)>(\(deleted\))?/.exec(text) ?? []
  if (hex === undefined || deleted !== undefined) return undefined
  const path = bytesOf(hex).toString()
  return path.endsWith(' (deleted)') ? undefined : path
}

/** The arguments that are names, without the directories that they are relative to. */
function namesIn(text: string): string[] {
  return stringsOf(text.replaceAll(/<[^>]*>/g, '')).map(String)
}

/** The arguments that are strings, in order; all bytes are in hex. */
function stringsOf(text: string): Buffer[] {
  const parts = text.split('"')
  return parts.filter((_, i) => i % 2 === 1).map(bytesOf)
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex')
}
