import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Figure, type Goal, isGoalMet, ratioOf } from './figure.js'
import type { MachineFacts } from './machine.js'
import { type ChartFile, chartsOf } from './shootout/charts.js'
import { CONTEST_HEAD, contestCells, countedText } from './shootout/table.js'

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
    const facts = this.#facts.map(([what, value]) => `${what}: ${value}`)
    return [...this.#tables.flatMap((table) => [...linesOf(table), '']), ...facts].join('\n')
  }

  toMarkdown(): string {
    return this.#tables.map((table) => this.#markdownOf(table)).join('\n')
  }

  /**
   * Writes the tables into a file, each between its markers, and the charts into `charts` beside it.
   * A file without markers becomes the tables; what was not measured stays as it was.
   */
  async writeMarkdown(file: string): Promise<void> {
    const charts = chartsOf(this.#figures.filter(isOfShootout))
    let text = await readFile(file, 'utf8').catch(() => '')
    const hasMarkers = text.includes(FIGURES.start) || text.includes(SHOOTOUT.start)
    if (!hasMarkers) text = this.#tables.map(({ markers }) => `${empty(markers)}\n`).join('\n')
    for (const table of this.#tables) {
      const { markers } = table
      const images = markers === SHOOTOUT ? charts.map(imageOf) : []
      if (!text.includes(markers.start)) text = `${text.trimEnd()}\n\n${empty(markers)}\n`
      text = betweenMarkers(text, [this.#markdownOf(table), ...images].join('\n'), markers)
    }
    await writeFile(file, text)
    await writeCharts(join(dirname(file), CHARTS), charts)
  }

  /** One for each kind of figures that there are. */
  get #tables(): readonly Table[] {
    const contests = this.#figures.filter(isOfShootout)
    const others = this.#figures.filter((figure) => !isOfShootout(figure))
    const tables = [
      { markers: FIGURES, head: HEAD, rows: others.map(cellsOf) },
      {
        markers: SHOOTOUT,
        head: CONTEST_HEAD,
        rows: contests.map((figure) => contestCells(figure, textOf)),
      },
    ]
    return tables.filter(({ rows }) => rows.length > 0)
  }

  #markdownOf({ head, rows }: Table): string {
    const facts = this.#facts.map(([what, value]) => `${what} ${value}`).join('; ')
    return [
      `${this.#date.toISOString().slice(0, 10)}, \`${this.#command}\`: ${facts}.`,
      '',
      rowOf(head),
      rowOf(head.map(() => '---')),
      ...rows.map(rowOf),
      '',
    ].join('\n')
  }
}

/** `text` with its part between the markers replaced; `inner` alone when it has none. */
export function betweenMarkers(text: string, inner: string, { start, end } = FIGURES): string {
  const from = text.indexOf(start)
  const to = text.indexOf(end)
  if (from === -1 || to < from) return inner
  return `${text.slice(0, from + start.length)}\n\n${inner}\n${text.slice(to)}`
}

interface Markers {
  readonly start: string
  readonly end: string
}

interface Table {
  readonly markers: Markers
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

const FIGURES: Markers = { start: '<!-- figures -->', end: '<!-- /figures -->' }
const SHOOTOUT: Markers = { start: '<!-- shootout -->', end: '<!-- /shootout -->' }
const CHARTS = 'charts'

function empty({ start, end }: Markers): string {
  return `${start}\n${end}`
}

function isOfShootout({ rivals }: Figure): boolean {
  return rivals !== undefined
}

function imageOf({ name, title }: ChartFile): string {
  return `![${title}](${CHARTS}/${name})\n`
}

async function writeCharts(directory: string, charts: readonly ChartFile[]): Promise<void> {
  if (charts.length > 0) await mkdir(directory, { recursive: true })
  for (const { name, svg } of charts) await writeFile(join(directory, name), svg)
}

/** A table in columns. */
function linesOf({ head, rows }: Table): readonly string[] {
  const all = [head, ...rows]
  const widths = head.map((_, at) => Math.max(...all.map((row) => (row[at] as string).length)))
  return all.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] as number))
      .join('  ')
      .trimEnd(),
  )
}

const HEAD = ['name', 'value', 'unit', 'min–max', 'peer', 'ratio', 'counted', 'goal', 'met']

function cellsOf(figure: Figure): readonly string[] {
  const { name, value, unit, samples, peer, goal, facts = {} } = figure
  const ratio = ratioOf(figure)
  const isMet = isGoalMet(figure)
  return [
    name,
    textOf(value),
    unit,
    `${textOf(Math.min(...samples))}–${textOf(Math.max(...samples))}`,
    peer ? `${textOf(peer.value)} (${peer.what})` : '',
    ratio === undefined ? '' : ratioText(ratio),
    countedText(facts, textOf),
    goal ? goalText(goal) : '',
    isMet === undefined ? '' : isMet ? 'yes' : 'no',
  ]
}

/** A small one with two digits that count. */
function ratioText(ratio: number): string {
  return ratio < 0.1 ? ratio.toPrecision(2) : ratio.toFixed(2)
}

function goalText(goal: Goal): string {
  const { atMost, atLeast, ratioAtMost, ratioAtLeast, speedAtLeast } = goal
  return [
    atMost !== undefined && `≤ ${textOf(atMost)}`,
    atLeast !== undefined && `≥ ${textOf(atLeast)}`,
    ratioAtMost !== undefined && `ratio ≤ ${ratioAtMost}`,
    ratioAtLeast !== undefined && `ratio ≥ ${ratioAtLeast}`,
    speedAtLeast !== undefined && `≥ ${speedAtLeast} × as fast`,
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
