import { formatOid, type Oid, toOid } from '../storage/index.js'
import {
  type BinaryValue,
  binaryKindOf,
  bytesOf,
  decodeBinary,
  encodeBinary,
} from './binary-value.js'
import { ForeignObjectError } from './errors.js'
import { CrossReference, Reference, WeakOid } from './reference.js'

/**
 * Stored values as JSON. Text, finite numbers, booleans, null, arrays and objects stand for
 * themselves; all else is an object with one property whose name begins with `$`:
 *
 * | property     | content                                  | stands for                         |
 * | ------------ | ---------------------------------------- | ---------------------------------- |
 * | `$undefined` | true                                     | undefined                          |
 * | `$number`    | `NaN`, `Infinity`, `-Infinity`           | that number                        |
 * | `$bigint`    | decimal digits                           | a bigint                           |
 * | `$date`      | ISO 8601, or null for an invalid one     | a Date                             |
 * | `$binary`    | `[kind, base64]`                         | binary data                        |
 * | `$map`       | array of `[key, value]`                  | a Map                              |
 * | `$set`       | array of members                         | a Set                              |
 * | `$object`    | array of `[name, value]`                 | an object with names that begin so |
 * | `$ref`       | oid, 16 hex digits                       | an object of the export            |
 * | `$weak`      | oid                                      | a weak reference                   |
 * | `$outside`   | oid                                      | an object that is not exported     |
 */
export type ExportedValue =
  | string
  | number
  | boolean
  | null
  | readonly ExportedValue[]
  | { readonly [name: string]: ExportedValue }

/** @param refer - whether an object is exported too. */
export function toExportedValue(value: unknown, isExported: (oid: Oid) => boolean): ExportedValue {
  const inner = (part: unknown): ExportedValue => toExportedValue(part, isExported)
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : { $number: String(value) }
    case 'bigint':
      return { $bigint: String(value) }
    case 'undefined':
      return { $undefined: true }
  }
  if (value === null) return null
  if (value instanceof Reference) {
    const oid = formatOid(value.oid)
    return isExported(value.oid) ? { $ref: oid } : { $outside: oid }
  }
  if (value instanceof CrossReference) throw elsewhere(value)
  if (value instanceof WeakOid) return { $weak: formatOid(value.oid) }
  if (Array.isArray(value)) return value.map(inner)
  if (value instanceof Map) return { $map: Array.from(value, (entry) => entry.map(inner)) }
  if (value instanceof Set) return { $set: Array.from(value, inner) }
  if (value instanceof Date) {
    return { $date: Number.isNaN(value.getTime()) ? null : value.toISOString() }
  }
  const kind = binaryKindOf(value as object)
  if (kind !== undefined) {
    return { $binary: [kind, Buffer.from(bytesOf(value as object)).toString('base64')] }
  }
  const entries = Object.entries(value as object).map(
    ([name, part]) => [name, inner(part)] as const,
  )
  if (entries.some(([name]) => name.startsWith('$'))) return { $object: entries }
  return Object.fromEntries(entries)
}

function elsewhere({ database, oid }: CrossReference): ForeignObjectError {
  return new ForeignObjectError(
    `An object of the export refers to oid ${formatOid(oid)} of the database ${database}, and an export stays in ` +
      'one database. Take that reference out first, or leave the object that holds it out.',
    { details: { database, oid: formatOid(oid) } },
  )
}

/** What an import makes of references. */
export interface ImportedReferences {
  strong(exported: Oid): Reference
  weak(exported: Oid): WeakOid
  outside(exported: Oid): Reference | undefined
}

/**
 * The value of an {@link ExportedValue}, with stubs for objects.
 * @throws TypeError, RangeError or SyntaxError for what is none.
 */
export function fromExportedValue(json: unknown, references: ImportedReferences): unknown {
  const inner = (part: unknown): unknown => fromExportedValue(part, references)
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map(inner)
  const names = Object.keys(json)
  const name = names[0]
  if (names.length === 1 && name?.startsWith('$')) {
    return fromTagged(name, (json as Record<string, unknown>)[name], references, inner)
  }
  return objectOf(Object.entries(json), inner)
}

function fromTagged(
  tag: string,
  content: unknown,
  references: ImportedReferences,
  inner: (part: unknown) => unknown,
): unknown {
  switch (tag) {
    case '$undefined':
      return undefined
    case '$number':
      return Number(textOf(content))
    case '$bigint':
      return BigInt(textOf(content))
    case '$date':
      return new Date(content === null ? Number.NaN : textOf(content))
    case '$binary':
      return binaryOf(listOf(content))
    case '$map':
      return new Map(listOf(content).map((entry) => listOf(entry).map(inner) as [unknown, unknown]))
    case '$set':
      return new Set(listOf(content).map(inner))
    case '$object':
      return objectOf(listOf(content) as [string, unknown][], inner)
    case '$ref':
      return references.strong(parseOid(content))
    case '$weak':
      return references.weak(parseOid(content))
    case '$outside':
      return references.outside(parseOid(content))
    default:
      throw new TypeError(`${tag} stands for no kind of value`)
  }
}

function binaryOf([kind, base64]: readonly unknown[]): Buffer | object {
  const bytes = Buffer.from(textOf(base64), 'base64')
  if (kind === 'Buffer') return bytes
  return decodeBinary(encodeBinary(bytes as unknown as BinaryValue, textOf(kind)))
}

/** Not by assignment: `__proto__` must be a property, which the import then refuses. */
function objectOf(
  entries: readonly (readonly [string, unknown])[],
  inner: (part: unknown) => unknown,
): object {
  return Object.fromEntries(entries.map(([name, part]) => [textOf(name), inner(part)]))
}

/** @throws TypeError or RangeError when it is no oid as exports write it. */
export function parseOid(text: unknown): Oid {
  return toOid(textOf(text))
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('text was expected')
  return value
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError('an array was expected')
  return value
}
