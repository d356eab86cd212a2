import { fromHex64, toHex64 } from '../foundation/index.js'

declare const oidBrand: unique symbol

/**
 * The identity of a stored object, for ever and for that object alone. 64 bits on disk; in memory a
 * whole number below 2^53 (docs/adr/0003), printed as 16 hex digits. ZODB's oid.
 * @public
 */
export type Oid = number & { readonly [oidBrand]: true }

/** The root mapping's. @public */
export const ROOT_OID = 0 as Oid

/**
 * @param value - also as messages print it.
 * @throws RangeError when it is no whole number from 0 to 2^53 - 1, or not its 16 hex digits.
 * @public
 */
export function toOid(value: number | string): Oid {
  const number = typeof value === 'string' ? fromHex64(value) : value
  if (!Number.isSafeInteger(number) || number < 0) throw new RangeError(`${value} is no oid`)
  return number as Oid
}

/** 16 hex digits, as every message prints an oid. @public */
export function formatOid(oid: Oid): string {
  return toHex64(oid)
}
