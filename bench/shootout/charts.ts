import { type Bar, type Chart, type Group, toSvg } from '../chart.js'
import type { Figure } from '../figure.js'
import { median } from '../harness.js'
import { percentile } from '../statistics.js'

/** A chart as a file. */
export interface ChartFile {
  /** `shootout-1000.svg` */
  readonly name: string
  readonly title: string
  readonly svg: string
}

/** The charts that some figures of the shootout make; none of those that were not measured. */
export function chartsOf(figures: readonly Figure[]): readonly ChartFile[] {
  return CHARTS.flatMap(({ name, title, axis, labels }) => {
    const groups = figures.flatMap((figure) => {
      const label = labels(figure.name.replace(/^shootout-/, ''))
      return label === undefined ? [] : [groupOf(figure, label)]
    })
    if (groups.length === 0) return []
    const chart: Chart = { title, axis, isLogarithmic: true, series: SERIES, groups }
    return [{ name: `shootout-${name}.svg`, title, svg: toSvg(chart) }]
  })
}

interface ChartPlan {
  readonly name: string
  readonly title: string
  readonly axis: string
  /** What a figure is called in the chart; `undefined` when it does not stand there. */
  labels(name: string): string | undefined
}

const SERIES = ['treehook', 'zodb', 'raw', 'lmdb', 'sqlite']
const TIME = 'ms, logarithmic; less is better; whiskers from the 5th to the 95th percentile'
const RATE =
  'in a second, logarithmic; more is better; whiskers from the 5th to the 95th percentile'

const CHARTS: readonly ChartPlan[] = [
  ...[1, 10, 100, 1000].map((objects) => ({
    name: String(objects),
    title: `One transaction with ${objects === 1 ? '1 object' : `${objects} objects`}, durable`,
    axis: TIME,
    labels: (name: string) =>
      name.endsWith(`-${objects}`) &&
      /^(add|store|update|read|cold|hot|steamin|confl.*updates)/.test(name)
        ? name.slice(0, -String(objects).length - 1)
        : undefined,
  })),
  {
    name: 'clients',
    title: 'Commits of one object by 1, 16 and 64 clients',
    axis: RATE,
    labels: (name) => (name.startsWith('commits-') ? name.slice('commits-'.length) : undefined),
  },
  {
    name: 'contention',
    title: 'Eight clients: containers, mixed work, conflicts',
    axis: RATE,
    labels: (name) => (/^(container-insert|mixed|conflict-retry)-/.test(name) ? name : undefined),
  },
  {
    name: 'open',
    title: 'Opening after kill -9, by the number of objects',
    axis: TIME,
    labels: (name) => (name.startsWith('open-') ? name.slice('open-'.length) : undefined),
  },
]

function groupOf({ samples, unit, rivals = [] }: Figure, label: string): Group {
  const barOf = (series: string, all: readonly number[]): Bar => {
    const value = median(all)
    return {
      series,
      value,
      low: percentile(all, 5),
      high: percentile(all, 95),
      text: `${Number(value.toPrecision(3))} ${unit}`,
    }
  }
  const others = rivals.filter((rival) => SERIES.includes(rival.name) && rival.samples.length > 0)
  return {
    label,
    bars: [barOf('treehook', samples), ...others.map((rival) => barOf(rival.name, rival.samples))],
  }
}
