import {
  type Figure,
  isTargetMet,
  objectsPerSecond,
  type Rival,
  speedOver,
  type Target,
} from '../figure.js'
import { median } from '../harness.js'
import { spreadOf } from '../statistics.js'

export const CONTEST_HEAD = [
  'name',
  'median',
  'unit',
  'p95',
  'p99',
  'sd',
  'objects/s',
  ...['zodb', 'raw', 'lmdb', 'sqlite'].map((name) => `${name} (×)`),
  'counted',
  'goals',
  'met',
] as const

/** A row of the shootout's table. Behind a rival's median stands how many times as fast we are. */
export function contestCells(figure: Figure, textOf: (value: number) => string): readonly string[] {
  const { name, value, unit, samples, facts = {}, targets = [] } = figure
  const { p95, p99, sd } = spreadOf(samples)
  const perSecond = objectsPerSecond(figure)
  return [
    name.replace(/^shootout-/, ''),
    ...[textOf(value), unit, textOf(p95), textOf(p99), textOf(sd)],
    perSecond ? textOf(perSecond) : '',
    ...['zodb', 'raw', 'lmdb', 'sqlite'].map((rival) => rivalCell(figure, rival, textOf)),
    countedText(facts, textOf),
    targets.map(targetText).join('; '),
    targets.map((target) => metText(figure, target)).join('; '),
  ]
}

/** Numbers that were counted beside the samples. */
export function countedText(
  facts: Readonly<Record<string, number>>,
  textOf: (value: number) => string,
): string {
  return Object.entries(facts)
    .map(([what, count]) => `${what} ${textOf(count)}`)
    .join(', ')
}

function rivalCell(figure: Figure, name: string, textOf: (value: number) => string): string {
  const rival = figure.rivals?.find((one) => one.name === name)
  if (rival === undefined) return ''
  const speed = speedOver(figure, rival)
  if (speed === undefined) return 'did not run'
  return `${textOf(median(rival.samples))}${formOf(rival)} (${speed.toFixed(2)})`
}

function formOf({ name, what }: Rival): string {
  return what === name ? '' : ` ${what.replace(`${name} `, '')}`
}

function targetText(target: Target): string {
  if ('fact' in target) return `${target.fact} ≤ ${target.atMost}`
  if ('atMost' in target) return `≤ ${target.atMost}`
  if ('speedAtLeast' in target) return `≥ ${target.speedAtLeast} × ${target.rival}`
  return `≤ ${target.timeAtMost} of ${target.rival}’s time`
}

function metText(figure: Figure, target: Target): string {
  const isMet = isTargetMet(figure, target)
  return isMet === undefined ? 'did not run' : isMet ? 'yes' : 'no'
}
