/**
 * What a disk may hold after the power went out, by the rules of a journalling file system as ext4
 * (data=ordered) and XFS are:
 *
 * - A file's bytes are on disk as far as it was synced. Of what was written later, any beginning may
 *   be there, the last write in part, and pages of it may read as zeros.
 * - Names (create, rename, link, unlink, mkdir) reach the disk in the order in which they were
 *   changed, all at once up to some moment. A sync of anything, file or directory, commits the
 *   journal and so all names changed before it began. Later ones may be undone, the newest first.
 *
 * POSIX promises less: there, a name needs a sync of its directory. LevelDB 1.20 leaves that out for
 * new logs and after the rename of CURRENT, so on a file system without an ordered journal nothing
 * built on it is safe.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Random } from './random.js'
import type { FileEvent, NameEvent } from './trace.js'

interface Write {
  readonly offset: number
  readonly bytes: Buffer
}

/** A file, whatever its names. */
class Inode {
  readonly writes: Write[] = []
  /** That many writes are on disk. */
  synced = 0
  size = 0

  write(offset: number, bytes: Buffer): void {
    const at = offset === -1 ? this.size : offset
    this.writes.push({ offset: at, bytes })
    this.size = Math.max(this.size, at + bytes.length)
  }

  /** The first `count` writes, and `more` bytes of the next. */
  bytes(count: number, more = 0): Buffer {
    const writes = this.writes.slice(0, count)
    const next = this.writes[count]
    if (next !== undefined && more > 0) {
      writes.push({ offset: next.offset, bytes: next.bytes.subarray(0, more) })
    }
    const size = writes.reduce((end, { offset, bytes }) => Math.max(end, offset + bytes.length), 0)
    const all = Buffer.alloc(size)
    for (const { offset, bytes } of writes) bytes.copy(all, offset)
    return all
  }
}

type Names = Map<string, Inode>
type NameChange = (names: Names) => void

/** Path → bytes. */
export type DiskContents = ReadonlyMap<string, Buffer>

/**
 * `synced`: nothing but what a sync promised. `some`: more than that, as chance has it. `lostPage`: as
 * `some`, with zeros in a page of it.
 */
export type Luck = 'synced' | 'some' | 'lostPage'

const PAGE_BYTES = 4096

export class DiskModel {
  /** As the process sees them. */
  readonly #names: Names
  /** As they were at the beginning, on disk. */
  readonly #namesAtStart: Names
  readonly #changes: NameChange[] = []
  #changesSynced = 0
  readonly #syncsBegun = new Map<number, { readonly changes: number; readonly writes: number }>()

  /** @param contents - what is on disk. */
  constructor(contents: DiskContents = new Map()) {
    this.#namesAtStart = new Map()
    for (const [path, bytes] of contents) {
      const inode = new Inode()
      inode.write(0, bytes)
      inode.synced = 1
      this.#namesAtStart.set(path, inode)
    }
    this.#names = new Map(this.#namesAtStart)
  }

  apply(event: FileEvent): void {
    if (event.kind === 'said' || event.kind === 'cutOff') return
    if (event.kind === 'write') this.#write(event)
    else if (event.kind === 'syncBegin') this.#beginSync(event.path, event.id)
    else if (event.kind === 'syncEnd') this.#endSync(event.path, event.id)
    else this.#change(changeOf(event as NameEvent, this.#names))
  }

  /** All files, as the process sees them. */
  contents(): DiskContents {
    return new Map(
      [...this.#names].map(([path, inode]) => [path, inode.bytes(inode.writes.length)]),
    )
  }

  /** What the next power-up finds. */
  afterPowerLoss(luck: Luck, random: Random): DiskContents {
    const unsynced = this.#changes.length - this.#changesSynced
    const changes = this.#changesSynced + (luck === 'synced' ? 0 : random.below(unsynced + 1))
    const names = new Map(this.#namesAtStart)
    for (const change of this.#changes.slice(0, changes)) change(names)
    return new Map([...names].map(([path, inode]) => [path, left(inode, luck, random)]))
  }

  #write({ path, offset, bytes }: Extract<FileEvent, { kind: 'write' }>): void {
    const inode = this.#names.get(path)
    if (inode === undefined) throw new Error(`Written without a name: ${path}`)
    inode.write(offset, bytes)
  }

  #change(change: NameChange): void {
    this.#changes.push(change)
    change(this.#names)
  }

  /** Of a directory, only the names. */
  #beginSync(path: string, id: number): void {
    const writes = this.#names.get(path)?.writes.length ?? 0
    this.#syncsBegun.set(id, { changes: this.#changes.length, writes })
  }

  #endSync(path: string, id: number): void {
    const { changes, writes } = this.#syncsBegun.get(id)!
    this.#changesSynced = Math.max(this.#changesSynced, changes)
    const inode = this.#names.get(path)
    if (inode !== undefined) inode.synced = Math.max(inode.synced, writes)
  }
}

function changeOf(event: NameEvent, now: Names): NameChange {
  const { kind, path } = event
  if (kind === 'mkdir') return () => undefined
  if (kind === 'unlink') return (names) => names.delete(path)
  const known = kind === 'create' ? undefined : now.get(path)
  const inode = known ?? (kind === 'create' || kind === 'open' ? new Inode() : undefined)
  if (inode === undefined) throw new Error(`${kind} of what has no name: ${path}`)
  const to = 'to' in event ? event.to : path
  return (names) => {
    if (kind === 'rename') names.delete(path)
    names.set(to, inode)
  }
}

function left(inode: Inode, luck: Luck, random: Random): Buffer {
  if (luck === 'synced' || inode.synced === inode.writes.length) return inode.bytes(inode.synced)
  const synced = inode.bytes(inode.synced).length
  const count = inode.synced + random.below(inode.writes.length - inode.synced + 1)
  const torn = inode.writes[count]?.bytes.length ?? 0
  const bytes = inode.bytes(count, random.below(torn + 1))
  if (luck === 'lostPage') loseAPage(bytes, synced, random)
  return bytes
}

/** A page that had its place on disk but not its bytes. */
function loseAPage(bytes: Buffer, from: number, random: Random): void {
  if (bytes.length <= from) return
  const at = from + random.below(bytes.length - from)
  const page = at - (at % PAGE_BYTES)
  bytes.fill(0, Math.max(from, page), Math.min(bytes.length, page + PAGE_BYTES))
}

/** The files of a directory; LevelDB keeps no directories in it. */
export function readDirectory(directory: string): DiskContents {
  const paths = readdirSync(directory).map((name) => join(directory, name))
  return new Map(
    paths.filter((path) => statSync(path).isFile()).map((path) => [path, readFileSync(path)]),
  )
}

/** Writes the files of `from` into another directory. */
export function writeDirectory(contents: DiskContents, from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const [path, bytes] of contents) {
    const place = join(to, path.slice(from.length))
    mkdirSync(dirname(place), { recursive: true })
    writeFileSync(place, bytes)
  }
}
