/** Bars side by side, in groups. */
export interface Chart {
  readonly title: string
  /** What the axis counts: `ms, less is better`. */
  readonly axis: string
  /** Powers of ten are at equal distances; else the axis begins at 0. */
  readonly isLogarithmic: boolean
  /** Contenders, in the order of their colours. */
  readonly series: readonly string[]
  readonly groups: readonly Group[]
}

export interface Group {
  readonly label: string
  readonly bars: readonly Bar[]
}

export interface Bar {
  /** One of the chart's. */
  readonly series: string
  readonly value: number
  /** The ends of the whisker. */
  readonly low: number
  readonly high: number
  /** Beside the bar, for people. */
  readonly text: string
}

/** @returns an SVG document that is readable on light and on dark ground. */
export function toSvg(chart: Chart): string {
  const scale = scaleOf(chart)
  const bars = chart.groups.reduce((count, group) => count + group.bars.length, 0)
  const bottom = TOP + bars * BAR_STEP + chart.groups.length * GROUP_GAP
  const height = bottom + BOTTOM
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">`,
    `<title id="title">${escaped(`${chart.title} (${chart.axis})`)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${height}"/>`,
    text(PAD, 24, chart.title, 'heading'),
    ...legend(chart.series),
    ...scale.ticks.flatMap((tick) => tickAt(scale.x(tick), tick, bottom)),
    text(LEFT, bottom + 36, chart.axis, 'quiet'),
    ...groupsOf(chart, scale),
    '</svg>',
    '',
  ].join('\n')
}

interface Scale {
  readonly x: (value: number) => number
  readonly ticks: readonly number[]
}

function scaleOf({ groups, isLogarithmic }: Chart): Scale {
  const bars = groups.flatMap((group) => group.bars)
  const highest = Math.max(...bars.map(({ value, high }) => Math.max(value, high)))
  const lowest = Math.min(...bars.map(({ value, low }) => Math.min(value, low)))
  if (!Number.isFinite(highest) || highest <= 0) throw new RangeError('A chart needs bars above 0')
  return isLogarithmic ? logarithmic(lowest, highest) : linear(highest)
}

function logarithmic(lowest: number, highest: number): Scale {
  // One power below the lowest, so that its bar has a length.
  const first = Math.floor(Math.log10(Math.max(lowest, highest / 10 ** MOST_POWERS))) - 1
  const last = Math.max(first + 1, Math.ceil(Math.log10(highest)))
  const width = (RIGHT - LEFT) / (last - first)
  return {
    x: (value) => LEFT + Math.max(0, Math.log10(value) - first) * width,
    ticks: Array.from({ length: last - first + 1 }, (_, step) => 10 ** (first + step)),
  }
}

function linear(highest: number): Scale {
  const power = 10 ** Math.floor(Math.log10(highest))
  const step = [0.2, 0.5, 1, 2].map((part) => part * power).find((one) => highest / one <= 6)
  const unit = step ?? power
  const end = Math.ceil(highest / unit)
  return {
    x: (value) => LEFT + (value / (end * unit)) * (RIGHT - LEFT),
    ticks: Array.from({ length: end + 1 }, (_, at) => at * unit),
  }
}

function groupsOf({ groups, series }: Chart, scale: Scale): string[] {
  const lines: string[] = []
  let y = TOP
  for (const { label, bars } of groups) {
    const middle = y + (bars.length * BAR_STEP) / 2 + 4
    lines.push(text(LEFT - 10, middle, label, 'label'))
    for (const bar of bars) {
      lines.push(...barAt(y, bar, series.indexOf(bar.series), scale))
      y += BAR_STEP
    }
    y += GROUP_GAP
  }
  return lines
}

function barAt(y: number, { value, low, high, text: words }: Bar, colour: number, scale: Scale) {
  const [end, from, to] = [value, low, high].map((one) => rounded(scale.x(one))) as Triple
  const middle = y + BAR_HEIGHT / 2
  const path = `M${from} ${middle}H${to}M${from} ${middle - 3}v6M${to} ${middle - 3}v6`
  return [
    `<rect class="s${colour}" x="${LEFT}" y="${y}" width="${rounded(Math.max(1, end - LEFT))}" height="${BAR_HEIGHT}"/>`,
    `<path class="whisker" d="${path}"/>`,
    text(Math.max(end, to) + 6, middle + 4, words, 'value'),
  ]
}

type Triple = [number, number, number]

function legend(series: readonly string[]): string[] {
  let x = PAD
  return series.flatMap((name, colour) => {
    const at = x
    x += 26 + name.length * 7.5
    return [
      `<rect class="s${colour}" x="${at}" y="38" width="12" height="12"/>`,
      text(at + 17, 48, name, 'legend'),
    ]
  })
}

function tickAt(x: number, value: number, bottom: number): string[] {
  const at = rounded(x)
  return [
    `<path class="grid" d="M${at} ${TOP - 6}V${bottom}"/>`,
    text(at, bottom + 16, shortNumber(value), 'tick'),
  ]
}

/** 0.001, 10, 20k, 3M. */
function shortNumber(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`
  if (value >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`
  return String(Number(value.toPrecision(3)))
}

function text(x: number, y: number, words: string, kind: string): string {
  return `<text class="${kind}" x="${rounded(x)}" y="${rounded(y)}">${escaped(words)}</text>`
}

function escaped(words: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  }
  return words.replaceAll(/[&<>"]/g, (sign) => entities[sign] as string)
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}

const WIDTH = 860
const PAD = 16
/** Where bars begin, and where the longest may end: the value stands behind it. */
const LEFT = 190
const RIGHT = WIDTH - 150
const TOP = 72
const BOTTOM = 48
const BAR_HEIGHT = 11
const BAR_STEP = 14
const GROUP_GAP = 10
/** A bar that is shorter than this of the longest is as short as that. */
const MOST_POWERS = 8

const STYLE = [
  'text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#1f2328}',
  '.heading{font-weight:600;font-size:15px}.label{text-anchor:end}.tick{text-anchor:middle}',
  '.tick,.quiet,.value{fill:#59636e;font-size:11px}.ground{fill:#fff}',
  '.grid{stroke:#d1d9e0;stroke-width:1}.whisker{stroke:#1f2328;stroke-width:1;fill:none;opacity:.7}',
  '.s0{fill:#0969da}.s1{fill:#bf8700}.s2{fill:#818b98}.s3{fill:#1a7f37}.s4{fill:#8250df}.s5{fill:#cf222e}',
  '@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.tick,.quiet,.value{fill:#9198a1}',
  '.ground{fill:#0d1117}.grid{stroke:#30363d}.whisker{stroke:#f0f6fc}',
  '.s0{fill:#4493f8}.s1{fill:#d29922}.s2{fill:#656c76}.s3{fill:#3fb950}.s4{fill:#ab7df8}.s5{fill:#f85149}}',
].join('')
