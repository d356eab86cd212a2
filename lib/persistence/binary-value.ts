import { types } from 'node:util'

/** On disk, each by its position. A Buffer stands as MessagePack's own bytes. */
const TYPED_ARRAYS =
  'Int8 Uint8 Uint8Clamped Int16 Uint16 Int32 Uint32 Float32 Float64 BigInt64 BigUint64'

const kinds = ['ArrayBuffer', ...TYPED_ARRAYS.split(' ').map((name) => `${name}Array`)]

type TypedArrayClass = new (buffer: ArrayBuffer) => ArrayBufferView

/** An ArrayBuffer, or a view of one other than DataView. */
export type BinaryValue = ArrayBuffer | (ArrayBufferView & { slice(): ArrayBufferView })

/** True for binary data that can be stored, of this realm or another. */
export function isBinary(value: object): value is BinaryValue {
  return kindOf(value) !== -1
}

/**
 * Its kind and its bytes, as they are in memory.
 * @param kind - the name of a class to read it as, when not its own.
 */
export function encodeBinary(value: BinaryValue, kind?: string): Uint8Array {
  const bytes = bytesOf(value)
  const encoded = new Uint8Array(1 + bytes.length)
  encoded[0] = kind === undefined ? kindOf(value) : kinds.indexOf(kind)
  encoded.set(bytes, 1)
  return encoded
}

/** @throws RangeError for a kind that this version does not know. */
export function decodeBinary(encoded: Uint8Array): object {
  const name = kinds[encoded[0] as number]
  if (name === undefined) throw new RangeError(`Binary data of the unknown kind ${encoded[0]}`)
  const bytes = new Uint8Array(encoded.length - 1)
  bytes.set(encoded.subarray(1))
  if (name === 'ArrayBuffer') return bytes.buffer
  return new (globalThis as unknown as Record<string, TypedArrayClass>)[name]!(bytes.buffer)
}

/** The bytes that the value shows: of a view, its part only. */
export function bytesOf(value: object): Uint8Array {
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value as ArrayBuffer)
}

/** The name of its class; `undefined` for what is no binary data. */
export function binaryKindOf(value: object): string | undefined {
  return Buffer.isBuffer(value) ? 'Buffer' : kinds[kindOf(value)]
}

// By what they are and not by their class: test runners and `vm` have classes of their own.
function kindOf(value: object): number {
  if (ArrayBuffer.isView(value)) {
    return kinds.indexOf((value as Uint8Array)[Symbol.toStringTag] as string)
  }
  return types.isArrayBuffer(value) ? 0 : -1
}
