import { readFile, writeFile } from 'node:fs/promises'
import { type Figure, type Goal, isGoalMet, ratioOf } from './figure.js'
import type { MachineFacts } from './machine.js'

/** The figures of one run, for people. */
export class Report {
  readonly #figures: readonly Figure[]
  readonly #facts: MachineFacts
  readonly #command: string
  readonly #date: Date

  constructor(run: {
    readonly figures: readonly Figure[]
    readonly facts: MachineFacts
    readonly command: string
    readonly date: Date
  }) {
    this.#figures = run.figures
    this.#facts = run.facts
    this.#command = run.command
    this.#date = run.date
  }

  /** For a terminal. */
  toText(): string {
    const rows = [HEAD, ...this.#figures.map(cellsOf)]
    const widths = HEAD.map((_, at) => Math.max(...rows.map((row) => (row[at] as string).length)))
    const lines = rows.map((row) =>
      row.map((cell, at) => cell.padEnd(widths[at] as number)).join('  '),
    )
    const facts = this.#facts.map(([what, value]) => `${what}: ${value}`)
    return [...lines.map((line) => line.trimEnd()), '', ...facts].join('\n')
  }

  toMarkdown(): string {
    const facts = this.#facts.map(([what, value]) => `${what} ${value}`).join('; ')
    return [
      `${this.#date.toISOString().slice(0, 10)}, \`${this.#command}\`: ${facts}.`,
      '',
      rowOf(HEAD),
      rowOf(HEAD.map((_, at) => (at === 0 ? '---' : '---'))),
      ...this.#figures.map((figure) => rowOf(cellsOf(figure))),
      '',
    ].join('\n')
  }

  /** Writes the table into a file: between its markers, or as the whole file when it has none. */
  async writeMarkdown(file: string): Promise<void> {
    const before = await readFile(file, 'utf8').catch(() => '')
    await writeFile(file, betweenMarkers(before, this.toMarkdown()))
  }
}

/** `text` with its part between the markers replaced; `inner` alone when it has none. */
export function betweenMarkers(text: string, inner: string): string {
  const start = text.indexOf(START)
  const end = text.indexOf(END)
  if (start === -1 || end < start) return inner
  return `${text.slice(0, start + START.length)}\n\n${inner}\n${text.slice(end)}`
}

const START = '<!-- figures -->'
const END = '<!-- /figures -->'
const HEAD = ['name', 'value', 'unit', 'min–max', 'peer', 'ratio', 'goal', 'met']

function cellsOf(figure: Figure): readonly string[] {
  const { name, value, unit, samples, peer, goal } = figure
  const ratio = ratioOf(figure)
  const isMet = isGoalMet(figure)
  return [
    name,
    textOf(value),
    unit,
    `${textOf(Math.min(...samples))}–${textOf(Math.max(...samples))}`,
    peer ? `${textOf(peer.value)} (${peer.what})` : '',
    ratio === undefined ? '' : ratio.toFixed(2),
    goal ? goalText(goal) : '',
    isMet === undefined ? '' : isMet ? 'yes' : 'no',
  ]
}

function goalText({ atMost, atLeast, ratioAtMost, ratioAtLeast }: Goal): string {
  return [
    atMost !== undefined && `≤ ${textOf(atMost)}`,
    atLeast !== undefined && `≥ ${textOf(atLeast)}`,
    ratioAtMost !== undefined && `ratio ≤ ${ratioAtMost}`,
    ratioAtLeast !== undefined && `ratio ≥ ${ratioAtLeast}`,
  ]
    .filter((text) => text !== false)
    .join(', ')
}

/** Three digits that count. */
function textOf(value: number): string {
  return Number(value.toPrecision(value >= 100 ? Math.ceil(Math.log10(value + 1)) : 3)).toString()
}

function rowOf(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
