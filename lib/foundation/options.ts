import type { ErrorClass } from './errors.js'

/** What one option may be. */
export interface OptionRule {
  readonly accepts: (value: unknown) => boolean
  /** The same in words, as `give …` is followed by: `a whole number from 0 upward`. */
  readonly words: string
}

/** A rule for each option that there is. */
export type OptionRules<Options> = { readonly [Name in keyof Required<Options>]: OptionRule }

/**
 * Options come from configuration as often as from code that a compiler has seen: one that does not
 * exist, or has a value that it cannot have, is refused by its name. What is `undefined` counts as left out.
 * @throws what `refusal` makes.
 */
export function checkOptions<Options>(
  options: Options,
  rules: OptionRules<Options>,
  refusal: ErrorClass,
): void {
  if (typeof options !== 'object' || options === null) {
    throw new refusal(`Options are an object, not ${inWords(options)}.`)
  }
  for (const [option, value] of Object.entries(options)) {
    if (value === undefined) continue
    if (!Object.hasOwn(rules, option)) {
      const known = Object.keys(rules).join(', ')
      throw new refusal(`There is no option ${option}. There are: ${known}.`, {
        details: { option },
      })
    }
    checkOption(option, value, rules[option as keyof Options], refusal)
  }
}

/** @throws what `refusal` makes, when `rule` does not accept `value`. */
export function checkOption(
  option: string,
  value: unknown,
  { accepts, words }: OptionRule,
  refusal: ErrorClass,
): void {
  if (accepts(value)) return
  throw new refusal(`${option} is ${inWords(value)}: give ${words}.`, { details: { option } })
}

export const aBoolean: OptionRule = {
  accepts: (value) => typeof value === 'boolean',
  words: 'true or false',
}

export const aFunction: OptionRule = {
  accepts: (value) => typeof value === 'function',
  words: 'a function',
}

export const anAbortSignal: OptionRule = {
  accepts: (value) => has(value, 'throwIfAborted') && has(value, 'addEventListener'),
  words: 'an AbortSignal',
}

export const aClock: OptionRule = anObjectWith('a clock', ['nowMs', 'monotonicMs', 'sleep'])

export const aPath: OptionRule = {
  accepts: (value) => typeof value === 'string' && value !== '',
  words: 'a path',
}

export const anIterable: OptionRule = {
  accepts: (value) => Object(value) === value && Symbol.iterator in (value as object),
  words: 'what can be iterated',
}

/** Checked where it is used, with what is known there. */
export const anything: OptionRule = { accepts: () => true, words: 'anything' }

/** Zero included, infinity as well. */
export const milliseconds: OptionRule = {
  accepts: (value) => typeof value === 'number' && value >= 0,
  words: 'a number of milliseconds from 0 upward',
}

export function aWholeNumber(
  least: number,
  highest = Number.MAX_SAFE_INTEGER,
  of = 'a whole number',
): OptionRule {
  return {
    accepts: (value) =>
      Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= highest,
    words: `${of} from ${least} ${highest === Number.MAX_SAFE_INTEGER ? 'upward' : `to ${highest}`}`,
  }
}

export function oneOf(...values: readonly string[]): OptionRule {
  return {
    accepts: (value) => values.includes(value as string),
    words: values.map((value) => `'${value}'`).join(' or '),
  }
}

/** @param methods - at least one. */
export function anObjectWith(words: string, methods: readonly string[]): OptionRule {
  return {
    accepts: (value) => methods.every((method) => has(value, method)),
    words: `${words}: an object with ${methods.join('(), ')}()`,
  }
}

function has(value: unknown, method: string): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Record<string, unknown>)[method] === 'function'
  )
}

/** Never what an object holds: it may be a secret. */
function inWords(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`
  return String(value)
}
