import { queryAdapter } from '../component/index.js'
import { isPersistent, type PersistentClass, storedNameOf } from '../persistence/index.js'
import { PayloadFailedError } from './errors.js'
import { IExternalObject } from './interfaces.js'

/**
 * The external form of a value: what JSON can hold. Objects say themselves what of them may leave
 * the house, by providing `IExternalObject` or by an adapter to it, the one named `externalizer`
 * first. Of one that says nothing, only its kind is told: fields may hold what nobody outside should
 * see.
 *
 * | value               | external form                                   |
 * | ------------------- | ----------------------------------------------- |
 * | Date                | ISO 8601 in UTC                                 |
 * | Map, Set            | object, array                                   |
 * | bigint              | decimal text                                    |
 * | binary data         | base64 text                                     |
 * | other objects       | what they say, or `NonExternalizableObject`     |
 *
 * @throws WEBHOOK_PAYLOAD_FAILED for values nested deeper than 100 levels.
 * @see `nti.externalization.to_external_object`
 * @public
 */
export function externalize(value: unknown, externalizer: string, context: object): unknown {
  return externalizeAt(value, externalizer, context, 0)
}

const MAX_DEPTH = 100

function externalizeAt(
  value: unknown,
  externalizer: string,
  context: object,
  depth: number,
): unknown {
  if (depth > MAX_DEPTH) {
    throw new PayloadFailedError(
      `The external form is nested deeper than ${MAX_DEPTH} levels, or refers to itself`,
    )
  }
  const inner = (item: unknown): unknown => externalizeAt(item, externalizer, context, depth + 1)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value) || value instanceof Set)
    return Array.from(value as Iterable<unknown>, inner)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof Map) {
    return Object.fromEntries(Array.from(value, ([key, item]) => [String(key), inner(item)]))
  }
  if (ArrayBuffer.isView(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  }
  if (isPlain(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inner(item)]))
  }
  const external =
    (externalizer === ''
      ? undefined
      : queryAdapter(value, IExternalObject, { name: externalizer, context })) ??
    queryAdapter(value, IExternalObject, { context }) ??
    undefined
  return external === undefined ? notExternalizable(value) : inner(external.toExternalObject())
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function notExternalizable(value: object): unknown {
  const someClass = value.constructor as PersistentClass
  const kind = (isPersistent(value) ? storedNameOf(someClass) : undefined) ?? someClass.name
  return { class: 'NonExternalizableObject', internalType: kind }
}
