import { LevelBytes, UnreadableBytes } from './level-bytes.js'

const MOST_BYTES = 64 * 1024 * 1024

/**
 * The bytes that Snappy made `compressed` of.
 * @throws UnreadableBytes
 * @see snappy, `format_description.txt`.
 */
export function uncompress(compressed: Buffer): Buffer {
  const source = new LevelBytes(compressed)
  const length = source.varint()
  if (length > MOST_BYTES) throw new UnreadableBytes('they claim to be longer than any block')
  const target = Buffer.allocUnsafe(length)
  let at = 0
  while (!source.isAtEnd) {
    const tag = source.byte()
    const literal = (tag & 3) === 0 ? source.take(literalLength(tag >> 2, source)) : undefined
    if (literal !== undefined) {
      if (at + literal.length > length) throw new UnreadableBytes('they are longer than they say')
      literal.copy(target, at)
      at += literal.length
    } else at = copyBack(tag, source, target, at)
  }
  if (at !== length) throw new UnreadableBytes('they are shorter than they say')
  return target
}

function literalLength(code: number, source: LevelBytes): number {
  return (code < 60 ? code : littleEndian(source, code - 59)) + 1
}

/** Repeats what stands some bytes before; the two may overlap. */
function copyBack(tag: number, source: LevelBytes, target: Buffer, start: number): number {
  const isShort = (tag & 3) === 1
  const length = isShort ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
  const offset = isShort
    ? ((tag >> 5) << 8) | source.byte()
    : littleEndian(source, (tag & 3) === 2 ? 2 : 4)
  const end = start + length
  if (offset === 0 || offset > start || end > target.length) {
    throw new UnreadableBytes('they repeat what is not there')
  }
  for (let at = start; at < end; at++) target[at] = target[at - offset] as number
  return end
}

function littleEndian(source: LevelBytes, width: number): number {
  const part = source.take(width)
  return part.readUIntLE(0, width)
}
