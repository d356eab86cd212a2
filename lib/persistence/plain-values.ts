import { asBuffer } from '../foundation/index.js'
import type { Oid } from '../storage/index.js'
import { Reference } from './reference.js'

/** What is not plain: `undefined` can be a value. */
const NOT_PLAIN: unique symbol = Symbol('not plain')

/**
 * Reads the states of one class as long as they are plain: numbers, booleans, references, null,
 * undefined and a few texts. A third of the time that msgpackr takes, which makes a view of the bytes
 * for each state and calls into native code for the first text. When it has to take out many texts
 * it does so in one call: those states are its own, as is whatever else can be stored.
 */
export class PlainReader {
  #patience = PATIENCE // how many more in a row may be none until it stops trying
  #bytes: Buffer = NO_BYTES
  #at = 0
  #texts = 0

  /** The values; `undefined` for a state that is not plain, and for bytes that are no state. */
  read(state: Uint8Array): unknown[] | undefined {
    if (this.#patience === 0) return undefined
    const values = this.#read(asBuffer(state))
    this.#patience = values === undefined ? this.#patience - 1 : PATIENCE
    this.#bytes = NO_BYTES
    return values
  }

  #read(bytes: Buffer): unknown[] | undefined {
    const length = lengthIn(bytes)
    if (length === undefined) return undefined
    this.#bytes = bytes
    this.#at = 1
    this.#texts = 0
    const values = new Array<unknown>(length)
    for (let index = 0; index < length; index++) {
      const value = this.#value()
      if (value === NOT_PLAIN) return undefined
      values[index] = value
    }
    return this.#at === bytes.length ? values : undefined
  }

  #value(): unknown {
    const byte = this.#bytes[this.#at++] as number
    if (byte < 0x80) return byte
    if (byte >= 0xe0) return byte - 0x100
    if (byte >= 0xa0 && byte < 0xc0) return this.#text(byte & 0x1f)
    switch (byte) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xcb:
        return this.#double()
      case 0xcc:
        return this.#unsigned(1)
      case 0xcd:
        return this.#unsigned(2)
      case 0xce:
        return this.#unsigned(4)
      case 0xd4:
        return this.#extension()
      case 0xd9:
        return this.#text(this.#unsigned(1))
      case 0xda:
        return this.#text(this.#unsigned(2))
      default:
        return NOT_PLAIN
    }
  }

  /** Beyond the end it is NaN, and the end is not where it should be. */
  #unsigned(width: number): number {
    let value = 0
    for (let left = width; left > 0; left--) {
      value = value * 256 + (this.#bytes[this.#at++] as number)
    }
    return value
  }

  #double(): number | typeof NOT_PLAIN {
    const from = this.#at
    this.#at += 8
    return this.#at > this.#bytes.length ? NOT_PLAIN : this.#bytes.readDoubleBE(from)
  }

  #text(length: number): string | typeof NOT_PLAIN {
    const from = this.#at
    this.#at += length
    if (!(this.#at <= this.#bytes.length) || ++this.#texts > FEW_TEXTS) return NOT_PLAIN
    return this.#bytes.toString('utf8', from, this.#at)
  }

  /** A reference, or undefined. */
  #extension(): Reference | undefined | typeof NOT_PLAIN {
    const type = this.#bytes[this.#at++]
    if (this.#bytes[this.#at++] !== 0) return NOT_PLAIN
    if (type === 0) return undefined
    if (type !== REFERENCE_TYPE) return NOT_PLAIN
    const oid = this.#value()
    return typeof oid === 'number' ? new Reference(oid as Oid) : NOT_PLAIN
  }
}

/** On disk: the extension type of references. */
export const REFERENCE_TYPE = 84

const PATIENCE = 16
/** From about five on msgpackr is faster. */
const FEW_TEXTS = 3
const NO_BYTES = Buffer.alloc(0)

/** Of an array of up to 15 values, as most classes have. */
function lengthIn(bytes: Buffer): number | undefined {
  const byte = bytes[0] as number
  return byte >= 0x90 && byte < 0xa0 ? byte & 0x0f : undefined
}
