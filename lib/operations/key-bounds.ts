import { formatOid, formatTid, type Oid, ROW_PREFIXES, type Tid } from '../storage/index.js'
import type { KeyRange } from './level-table.js'

const KEY_BYTES = 9

/** Which rows a range of keys is about. */
export interface RowsInRange {
  /** The objects whose own rows or earlier revisions are in it, both included. */
  readonly oids: { readonly from: number; readonly to: number } | undefined
  /** In words. */
  readonly text: string
}

/** Translates a range of LevelDB's keys, whose bounds may be cut short. */
export function rowsIn(range: KeyRange): RowsInRange {
  if (range.upTo === undefined && range.from === undefined && range.above === undefined) {
    return { oids: undefined, text: 'rows that nobody can tell' }
  }
  const { object, commit, preserved } = ROW_PREFIXES
  const parts = [object, preserved].map((prefix) => numbersIn(range, prefix))
  const known = parts.filter((part) => part !== undefined)
  const oids =
    known.length === 0
      ? undefined
      : {
          from: Math.min(...known.map(({ from }) => from)),
          to: Math.max(...known.map(({ to }) => to)),
        }
  const tids = numbersIn(range, commit)
  const texts = [
    ...(parts[0] === undefined ? [] : [`objects ${oidsText(parts[0])}`]),
    ...(parts[1] === undefined ? [] : [`earlier revisions of objects ${oidsText(parts[1])}`]),
    ...(tids === undefined ? [] : [`transactions ${tidsText(tids)}`]),
    ...(isBelow(range, commit) ? ['rows that describe the database'] : []),
  ]
  return { oids, text: texts.length === 0 ? 'no rows' : texts.join(', ') }
}

interface Numbers {
  readonly from: number
  readonly to: number
}

/** The numbers behind a prefix whose keys may be in the range. */
function numbersIn({ from, above, upTo }: KeyRange, prefix: number): Numbers | undefined {
  const first =
    from !== undefined
      ? lowest(from, prefix)
      : above === undefined
        ? 0
        : highest(above, prefix) + (above.length > KEY_BYTES ? 0 : 1)
  const last = upTo === undefined ? Number.POSITIVE_INFINITY : highest(upTo, prefix)
  return first <= last && first !== Number.POSITIVE_INFINITY
    ? { from: Math.max(0, first), to: last }
    : undefined
}

/** The lowest number whose key is not below `key`. */
function lowest(key: Buffer, prefix: number): number {
  if (key.length === 0 || (key[0] as number) < prefix) return 0
  return (key[0] as number) > prefix ? Number.POSITIVE_INFINITY : padded(key)
}

/** The highest number whose key is not above `key`; -1 for none. */
function highest(key: Buffer, prefix: number): number {
  if (key.length === 0 || (key[0] as number) < prefix) return -1
  if ((key[0] as number) > prefix) return Number.POSITIVE_INFINITY
  return key.length < KEY_BYTES ? padded(key) - 1 : padded(key)
}

function padded(key: Buffer): number {
  const bytes = Buffer.alloc(KEY_BYTES - 1)
  key.copy(bytes, 0, 1, KEY_BYTES)
  return Number(bytes.readBigUInt64BE(0))
}

function isBelow({ from, above }: KeyRange, prefix: number): boolean {
  const start = from ?? above
  return start === undefined || start.length === 0 || (start[0] as number) < prefix
}

function oidsText({ from, to }: Numbers): string {
  if (from === to) return formatOid(from as Oid)
  return `${formatOid(from as Oid)} to ${to === Number.POSITIVE_INFINITY ? 'the last' : formatOid(to as Oid)}`
}

function tidsText({ from, to }: Numbers): string {
  if (from === to) return formatTid(from as Tid)
  return `${formatTid(from as Tid)} to ${to === Number.POSITIVE_INFINITY ? 'the last' : formatTid(to as Tid)}`
}
