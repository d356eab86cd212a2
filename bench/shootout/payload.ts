/** Of one object: the mean that zodbshootout found in a production database. */
export const PAYLOAD_BYTES = 300

/** As many as are needed at once. */
const TEXTS = 1000

/** Numbers from 0 included to 1 excluded, always the same ones for a seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Texts of made-up words, so that they compress about as real ones do. */
export function textsOf(seed: number): readonly string[] {
  const random = seededRandom(seed)
  const words = Array.from({ length: WORDS }, () => wordOf(random))
  return Array.from({ length: TEXTS }, () => {
    let text = ''
    while (text.length < PAYLOAD_BYTES) text += `${words[Math.floor(random() * WORDS)]} `
    return text.slice(0, PAYLOAD_BYTES)
  })
}

/**
 * Long texts, 24 MB together. Written behind what is read cold: whatever a store keeps at hand of its
 * latest writes, its log among it, is of these then.
 */
export function* fillerTexts(texts: readonly string[]): Generator<readonly string[]> {
  for (let batch = 0; batch < FILLER_BATCHES; batch++) {
    yield Array.from({ length: FILLER_BATCH }, (_, at) => {
      const turn = (batch * FILLER_BATCH + at) % texts.length
      return [...texts.slice(turn), ...texts.slice(0, turn)].slice(0, FILLER_TEXTS).join('')
    })
  }
}

const FILLER_BATCHES = 20
const FILLER_BATCH = 40
const FILLER_TEXTS = 100

/** The text of the object at a place; texts come again when all were used. */
export function textAt(texts: readonly string[], at: number): string {
  return texts[at % texts.length] as string
}

const WORDS = 2000

function wordOf(random: () => number): string {
  const length = 2 + Math.floor(random() * 9)
  return Array.from({ length }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join('')
}

/** Places from 0 on, the first ones far more often than the last: probability 1 / rank^exponent. */
export function zipf(count: number, exponent: number, random: () => number): () => number {
  const sums: number[] = []
  let sum = 0
  for (let rank = 1; rank <= count; rank++) {
    sum += 1 / rank ** exponent
    sums.push(sum)
  }
  return () => firstNotBelow(sums, random() * sum)
}

function firstNotBelow(sums: readonly number[], value: number): number {
  let [low, high] = [0, sums.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sums[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}
