/**
 * A file of a backup: blocks, each of them entries. All numbers are big endian.
 *
 * | offset | bytes | meaning                                                   | since |
 * | ------ | ----- | --------------------------------------------------------- | ----- |
 * | 0      | 4     | n                                                         | 1     |
 * | 4      | 4     | CRC-32 (zlib) over the n bytes                            | 1     |
 * | 8      | n     | MessagePack values, one behind the other: the entries     | 1     |
 *
 * The manifest has the file's size, its number of entries, and a SHA-256 over all of it.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { crc32 } from 'node:zlib'
import { Packr } from 'msgpackr'
import type { TreehookError } from '../foundation/index.js'
import { DamagedBackupError } from './errors.js'

/** What a manifest says of a file. @public */
export interface BackupFile {
  readonly name: string
  readonly bytes: number
  readonly entries: number
  /** In hex. */
  readonly sha256: string
}

/** Bytes of entries in a block, give or take an entry. */
const BLOCK_BYTES = 256 * 1024
const HEAD_BYTES = 8

// Plain values only: any MessagePack reader can read them. Buffers are views of the block they are in.
const packr = new Packr({ useRecords: false })

/** Writes a file of a backup, which must not be there yet. */
export class BackupFileWriter {
  readonly #path: string
  readonly #file: FileHandle
  readonly #hash = createHash('sha256')
  #parts: Buffer[] = []
  #partBytes = 0
  #bytes = 0
  #entries = 0

  private constructor(path: string, file: FileHandle) {
    this.#path = path
    this.#file = file
  }

  static async create(path: string): Promise<BackupFileWriter> {
    return new BackupFileWriter(path, await open(path, 'wx'))
  }

  get bytes(): number {
    return this.#bytes + this.#partBytes
  }

  /** True when `flush` should be awaited before more is added. */
  get isFull(): boolean {
    return this.#partBytes >= BLOCK_BYTES
  }

  add(entry: unknown): void {
    const bytes = packr.pack(entry)
    this.#parts.push(bytes)
    this.#partBytes += bytes.length
    this.#entries++
  }

  async flush(): Promise<void> {
    if (this.#partBytes === 0) return
    const block = Buffer.concat([Buffer.allocUnsafe(HEAD_BYTES), ...this.#parts])
    const content = block.subarray(HEAD_BYTES)
    block.writeUInt32BE(content.length, 0)
    block.writeUInt32BE(crc32(content), 4)
    this.#parts = []
    this.#partBytes = 0
    this.#bytes += block.length
    this.#hash.update(block)
    await this.#file.appendFile(block)
  }

  /** Waits until all of it is on the disk. */
  async finish(): Promise<BackupFile> {
    await this.flush()
    await this.#file.sync()
    await this.close()
    return {
      name: basename(this.#path),
      bytes: this.#bytes,
      entries: this.#entries,
      sha256: this.#hash.digest('hex'),
    }
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#file.close()
  }
}

/**
 * The entries of a file, a block at a time: none of a block that is damaged. What is wrong with the file
 * as a whole is known at its end.
 * @throws OPERATIONS_DAMAGED_BACKUP
 */
export async function* readBackupFile(
  path: string,
  expected: BackupFile,
): AsyncGenerator<readonly unknown[], void, undefined> {
  const blocks = await BlockReader.open(path)
  let entries = 0
  try {
    for (let block = await blocks.next(); block !== undefined; block = await blocks.next()) {
      entries += block.length
      yield block
    }
  } finally {
    await blocks.close()
  }
  const { bytes, sha256 } = blocks.finish()
  if (bytes !== expected.bytes || entries !== expected.entries || sha256 !== expected.sha256) {
    throw blocks.damaged('it is not the file that the manifest names')
  }
}

class BlockReader {
  readonly #path: string
  readonly #file: FileHandle
  readonly #hash = createHash('sha256')
  #offset = 0

  private constructor(path: string, file: FileHandle) {
    this.#path = path
    this.#file = file
  }

  static async open(path: string): Promise<BlockReader> {
    try {
      return new BlockReader(path, await open(path, 'r'))
    } catch (cause) {
      if ((cause as { code?: unknown }).code !== 'ENOENT') throw cause
      throw DamagedBackupError.of({ file: path, why: 'it is not there', cause })
    }
  }

  /** `undefined` at the end. */
  async next(): Promise<readonly unknown[] | undefined> {
    const head = await this.#read(HEAD_BYTES)
    if (head.length === 0) return undefined
    if (head.length < HEAD_BYTES) throw this.damaged('it is cut off')
    const content = await this.#read(await this.#checked(head.readUInt32BE(0)))
    if (crc32(content) !== head.readUInt32BE(4)) {
      throw this.damaged(`the block that ends at byte ${this.#offset} is not what was written`)
    }
    return this.#decode(content)
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  finish(): { readonly bytes: number; readonly sha256: string } {
    return { bytes: this.#offset, sha256: this.#hash.digest('hex') }
  }

  damaged(why: string, cause?: unknown): TreehookError {
    return DamagedBackupError.of({ file: this.#path, why, cause })
  }

  /** A damaged length must not ask for more memory than the file has bytes. */
  async #checked(length: number): Promise<number> {
    const { size } = await this.#file.stat()
    if (length <= size - this.#offset) return length
    throw this.damaged(`it is cut off, or damaged before byte ${this.#offset}`)
  }

  async #read(length: number): Promise<Buffer> {
    const target = Buffer.allocUnsafeSlow(length)
    let filled = 0
    while (filled < length) {
      const { bytesRead } = await this.#file.read(target, filled, length - filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    const bytes = target.subarray(0, filled)
    this.#offset += filled
    this.#hash.update(bytes)
    return bytes
  }

  #decode(content: Buffer): readonly unknown[] {
    try {
      return packr.unpackMultiple(content) as unknown[]
    } catch (error) {
      throw this.damaged('it holds something else', error)
    }
  }
}
