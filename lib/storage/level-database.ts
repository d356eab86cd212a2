import type { AbstractLevel } from 'abstract-level'

/** Any abstract-level database whose keys and values are Buffers. */
export type LevelDatabase = AbstractLevel<string | Buffer | Uint8Array, Buffer, Buffer>
