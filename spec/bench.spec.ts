import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { listOf, parseArguments, UsageError } from '../bench/arguments.js'
import { type Chart, toSvg } from '../bench/chart.js'
import {
  type Figure,
  type Goal,
  isGoalMet,
  isTargetMet,
  type Target,
  toJson,
} from '../bench/figure.js'
import { alternate, best, median, ratePerSecond, verify } from '../bench/harness.js'
import { peerFolder } from '../bench/peers/peer-folder.js'
import { PythonProcess, versionsText } from '../bench/peers/python-process.js'
import { besideZope } from '../bench/peers/zope.js'
import { betweenMarkers, Report } from '../bench/report.js'
import { chartsOf } from '../bench/shootout/charts.js'
import { contests } from '../bench/shootout/contests.js'
import { seededRandom, textsOf, zipf } from '../bench/shootout/payload.js'
import { percentile, spreadOf, standardDeviation } from '../bench/statistics.js'
import { QUICK } from '../bench/subject.js'
import { Workspace } from '../bench/workspace.js'
import { xmlFault } from './support/xml-fault.js'

const KNOWN = new Map([
  ['traversal', ['traversal-hot', 'traversal-cold']],
  ['lookup', ['lookup-warm-300']],
])

const directories: string[] = []

afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true })
})

async function aDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'treehook-spec-'))
  directories.push(directory)
  return directory
}

function aFigure(changes: Partial<Figure> = {}): Figure {
  return { name: 'traversal-hot', value: 2, unit: 'µs', samples: [1, 2, 3], ...changes }
}

/** Twice as fast as ZODB, a third slower than the floor; SQLite was not there. */
function aContest(changes: Partial<Figure> = {}): Figure {
  return {
    name: 'shootout-add-100',
    value: 2,
    unit: 'ms',
    samples: [1, 2, 3],
    objects: 100,
    facts: { conflicts: 0 },
    targets: [{ rival: 'zodb', speedAtLeast: 1.5 }],
    rivals: [
      { name: 'zodb', what: 'zodb', samples: [4, 4, 5], facts: {} },
      { name: 'raw', what: 'raw one value', samples: [1, 1.5, 2] },
      { name: 'sqlite', what: 'sqlite', samples: [], absence: 'no compiler' },
    ],
    ...changes,
  }
}

/** `npm run bench -- …argv` */
async function bench(...argv: string[]): Promise<{ code: number; out: string; error: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bench/main.ts', ...argv])
  const texts = { out: '', error: '' }
  child.stdout.on('data', (chunk) => (texts.out += chunk))
  child.stderr.on('data', (chunk) => (texts.error += chunk))
  const [code] = await once(child, 'close')
  return { code: code as number, ...texts }
}

describe('Harness', () => {
  test('the median is the sample in the middle, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([10, 9, 100])).toBe(10)
    expect(median([7])).toBe(7)
  })

  test('the median of an even number is the mean of the two in the middle', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5)
  })

  test('nothing has no median', () => {
    expect(() => median([])).toThrow(RangeError)
  })

  test('the median leaves the samples as they were', () => {
    const samples = [3, 1, 2]
    median(samples)
    expect(samples).toEqual([3, 1, 2])
  })

  test('candidates take turns, and warm-up rounds do not count', async () => {
    const calls: string[] = []
    const note = (name: string) => () => calls.push(name)
    const samples = await alternate({ a: note('a'), b: note('b') }, { warmUps: 1, rounds: 2 })
    expect(calls).toEqual(['b', 'a', 'a', 'b', 'b', 'a'])
    expect(samples).toEqual({ a: [3, 6], b: [4, 5] })
  })

  test('a round that measured nothing fails the run', async () => {
    const rounds = alternate({ a: () => Number.NaN }, { warmUps: 0, rounds: 1 })
    await expect(rounds).rejects.toThrow('nothing was measured')
  })

  test('each client works at least once in a round', async () => {
    const clients = new Set<number>()
    const rate = await ratePerSecond(async (client) => clients.add(client), {
      clients: 3,
      roundMs: 1,
    })
    expect([...clients]).toEqual([0, 1, 2])
    expect(rate).toBeGreaterThan(0)
  })

  test('the best is the one with the best median', () => {
    const samples = { a: [1, 9, 2], b: [3, 3, 3] }
    const isBetter = (one: number, other: number): boolean => one > other
    expect(best(samples, ['a', 'b'], { isBetter })).toEqual({ name: 'b', value: 3 })
  })

  test('work that did not happen fails the run', () => {
    expect(() => verify('the number of commits', 1, 2)).toThrow(
      'the number of commits is 1, expected 2',
    )
  })
})

describe('Figure', () => {
  test('stands in the JSON with its samples', () => {
    expect(JSON.parse(toJson([aFigure()]))).toEqual([
      { name: 'traversal-hot', value: 2, unit: 'µs', samples: [1, 2, 3] },
    ])
  })

  test('has a peer and a ratio there where it was compared', () => {
    const figure = aFigure({ peer: { what: 'raw', value: 4 }, goal: { atMost: 1 } })
    expect(JSON.parse(toJson([figure]))).toEqual([
      { name: 'traversal-hot', value: 2, unit: 'µs', samples: [1, 2, 3], peer: 4, ratio: 0.5 },
    ])
  })

  test('no figures are an empty array', () => {
    expect(JSON.parse(toJson([]))).toEqual([])
  })

  test.each([
    [{ atMost: 2 }, true],
    [{ atMost: 1.9 }, false],
    [{ atLeast: 2 }, true],
    [{ atLeast: 2.1 }, false],
    [{ ratioAtLeast: 0.5 }, true],
    [{ ratioAtLeast: 0.6 }, false],
    [{ atMost: 2, ratioAtMost: 0.4 }, false],
    [{ speedAtLeast: 2 }, true],
    [{ atMost: 2, speedAtLeast: 2.1 }, false],
  ])('with the goal %j of a value of 2 beside 4: %s', (goal, isMet) => {
    expect(isGoalMet(aFigure({ goal, peer: { what: 'raw', value: 4 } }))).toBe(isMet)
  })

  test('of a rate is as fast as its peer by the other way round', () => {
    const figure = aFigure({ unit: 'commits/s', peer: { what: 'raw', value: 4 } })
    expect(isGoalMet({ ...figure, goal: { speedAtLeast: 0.5 } })).toBe(true)
    expect(isGoalMet({ ...figure, goal: { speedAtLeast: 0.6 } })).toBe(false)
  })

  test('without a goal is neither met nor missed', () => {
    expect(isGoalMet(aFigure())).toBeUndefined()
  })
})

describe('Statistics', () => {
  test('a percentile is one of the samples, whatever their order', () => {
    const samples = Array.from({ length: 100 }, (_, at) => 100 - at)
    expect(percentile(samples, 95)).toBe(95)
    expect(percentile(samples, 99)).toBe(99)
    expect(percentile([7], 99)).toBe(7)
    expect(() => percentile([], 50)).toThrow(RangeError)
  })

  test('the standard deviation is that of a sample', () => {
    expect(standardDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(Math.sqrt(32 / 7), 12)
    expect(standardDeviation([3])).toBe(0)
  })

  test('no percentile is below a lower one, or outside the samples', () => {
    const samples = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 })
    fc.assert(
      fc.property(samples, (all) => {
        const { p95, p99 } = spreadOf(all)
        expect(all).toContain(p95)
        expect(p95 <= p99 && p99 <= Math.max(...all)).toBe(true)
      }),
    )
  })
})

describe('Payload', () => {
  test('is the same for a seed, and another for another', () => {
    expect(textsOf(1)).toEqual(textsOf(1))
    expect(textsOf(1)).not.toEqual(textsOf(2))
  })

  test('has 300 letters in each text', () => {
    expect(new Set(textsOf(1).map((text) => text.length))).toEqual(new Set([300]))
  })

  test('is chosen by zipf: the first place most often, and none that is not there', () => {
    const pick = zipf(100, 0.99, seededRandom(1))
    const picks = Array.from({ length: 5000 }, pick)
    const first = picks.filter((place) => place === 0).length
    const tenth = picks.filter((place) => place === 9).length
    expect(first).toBeGreaterThan(tenth * 3)
    expect(Math.min(...picks)).toBe(0)
    expect(Math.max(...picks)).toBeLessThan(100)
  })
})

describe('Shootout', () => {
  test.each<[Target, boolean | undefined]>([
    [{ rival: 'zodb', speedAtLeast: 2 }, true],
    [{ rival: 'zodb', speedAtLeast: 2.1 }, false],
    [{ rival: 'raw', timeAtMost: 1.34 }, true],
    [{ rival: 'raw', timeAtMost: 1.3 }, false],
    [{ rival: 'sqlite', speedAtLeast: 10 }, undefined],
    [{ rival: 'lmdb', speedAtLeast: 10 }, undefined],
    [{ atMost: 2 }, true],
    [{ atMost: 1.9 }, false],
    [{ fact: 'conflicts', atMost: 0 }, true],
    [{ fact: 'loads', atMost: 0 }, undefined],
  ])('the goal %j of 2 ms beside 4 of ZODB and 1.5 of LevelDB: %s', (target, isMet) => {
    expect(isTargetMet(aContest(), target)).toBe(isMet)
  })

  test('of rates more is faster', () => {
    const figure = aContest({ unit: 'commits/s' })
    expect(isTargetMet(figure, { rival: 'zodb', speedAtLeast: 0.5 })).toBe(true)
    expect(isTargetMet(figure, { rival: 'zodb', speedAtLeast: 0.6 })).toBe(false)
  })

  test('stands in the JSON with rivals, raw samples and whether goals are met', () => {
    const targets: Target[] = [
      { rival: 'zodb', speedAtLeast: 1.5 },
      { rival: 'sqlite', speedAtLeast: 10 },
    ]
    const [row] = JSON.parse(toJson([aContest({ targets })]))
    expect(row).toEqual({
      name: 'shootout-add-100',
      value: 2,
      unit: 'ms',
      samples: [1, 2, 3],
      spread: { p95: 3, p99: 3, sd: 1 },
      facts: { conflicts: 0 },
      objects: 100,
      objectsPerSecond: 50_000,
      rivals: [
        {
          name: 'zodb',
          what: 'zodb',
          samples: [4, 4, 5],
          facts: {},
          value: 4,
          speed: 2,
          spread: { p95: 5, p99: 5, sd: expect.any(Number) },
        },
        {
          name: 'raw',
          what: 'raw one value',
          samples: [1, 1.5, 2],
          value: 1.5,
          speed: 0.75,
          spread: { p95: 2, p99: 2, sd: 0.5 },
        },
        { name: 'sqlite', what: 'sqlite', samples: [], absence: 'no compiler' },
      ],
      targets: [
        { rival: 'zodb', speedAtLeast: 1.5, isMet: true },
        { rival: 'sqlite', speedAtLeast: 10, isMet: null },
      ],
    })
  })

  test('has the same figures in quick and in full runs, each name once', () => {
    const names = contests({ isQuick: false }).map(({ name }) => name)
    expect(contests({ isQuick: true }).map(({ name }) => name)).toEqual(names)
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((name) => !/^shootout-[a-z0-9-]+$/.test(name))).toEqual([])
  })

  test('names only rivals in its goals that take part, or other figures', () => {
    const all = contests({ isQuick: false })
    const strangers = all.flatMap(({ name, rivals, targets }) =>
      targets.flatMap((target) => {
        if (!('rival' in target)) return []
        const isKnown =
          rivals.some((rival) => target.rival === rival || target.rival === `${rival} batch`) ||
          all.some((other) => other.name === `shootout-${target.rival}`)
        return isKnown ? [] : [`${name}: ${target.rival}`]
      }),
    )
    expect(strangers).toEqual([])
  })

  test('a peer that cannot be installed is told in one line', async () => {
    const failing = peerFolder('none-1.0', async () => {
      throw Object.assign(new Error('Command failed'), { stderr: 'much\ntext\nno network\n' })
    })
    await expect(failing).rejects.toThrow(/^none-1\.0 cannot be installed: no network$/)
  })
})

describe('A figure beside zope', () => {
  const beside = {
    name: 'traversal-hot',
    unit: 'µs',
    ours: () => 2,
    zope: { work: 'traverse', options: {} },
  } as const

  async function measured(goal?: Goal): Promise<Figure> {
    await using workspace = await Workspace.create()
    const settings = { ...QUICK, withPeers: false, workspace, note: () => {} }
    return besideZope({ ...beside, ...(goal && { goal }) }, settings)
  }

  test('keeps the goals that it can reach alone when zope does not run', async () => {
    const { peer, goal, samples } = await measured({ atMost: 3, speedAtLeast: 25 })
    expect({ peer, goal, samples }).toEqual({ goal: { atMost: 3 }, samples: [2, 2, 2] })
  })

  test('has no goal then when each of them speaks of zope', async () => {
    expect((await measured({ speedAtLeast: 25 })).goal).toBeUndefined()
    expect((await measured()).goal).toBeUndefined()
  })

  test('a Python that is not there is told in one line', async () => {
    await using python = new PythonProcess('/nowhere/python', 'zope', [])
    await expect(python.ask({ do: 'hello' })).rejects.toThrow('the process of zope ended by itself')
  })

  test('versions are told with how they were compiled', () => {
    expect(versionsText({ zope: '1.0', Python: '3.11.7', compiled: true })).toBe(
      'zope 1.0, Python 3.11.7, compiled',
    )
    expect(versionsText({ zope: '1.0', compiled: false })).toBe('zope 1.0, in pure Python')
  })
})

describe('Chart', () => {
  const chart: Chart = {
    title: 'Commits & reads',
    axis: 'ms',
    isLogarithmic: true,
    series: ['ours', 'theirs'],
    groups: [
      {
        label: 'add <1000>',
        bars: [
          { series: 'ours', value: 10, low: 9, high: 12, text: '10 ms' },
          { series: 'theirs', value: 100, low: 80, high: 130, text: '100 ms' },
        ],
      },
    ],
  }

  test('is well-formed XML, for light and dark ground', () => {
    const svg = toSvg(chart)
    expect(xmlFault(svg)).toBeUndefined()
    expect(svg).toContain('Commits &amp; reads')
    expect(svg).toContain('add &lt;1000&gt;')
    expect(svg).toContain('prefers-color-scheme:dark')
  })

  test('gives powers of ten equal distances when it is logarithmic', () => {
    const widths = (svg: string): number[] =>
      [...svg.matchAll(/<rect class="s\d" x="190" y="\d+" width="([\d.]+)" height="11"/g)].map(
        ([, width]) => Number(width),
      )
    const [ours = 0, theirs = 0] = widths(toSvg(chart))
    expect(theirs / ours).toBeCloseTo(3 / 2, 1) // the axis begins at 0.1: two powers and three
    const [linearOurs = 0, linearTheirs = 0] = widths(toSvg({ ...chart, isLogarithmic: false }))
    expect(linearTheirs / linearOurs).toBeCloseTo(10, 1)
  })

  test('is refused without anything to show', () => {
    expect(() => toSvg({ ...chart, groups: [] })).toThrow(RangeError)
  })

  test('is well-formed whatever the words and the numbers', () => {
    const positive = fc.double({ min: 1e-6, max: 1e9, noNaN: true })
    const words = fc.string()
    fc.assert(
      fc.property(
        words,
        words,
        positive,
        positive,
        fc.boolean(),
        (title, text, value, high, log) => {
          const bar = { series: 'ours', value, low: value / 2, high, text }
          const groups = [{ label: title, bars: [bar] }]
          expect(
            xmlFault(toSvg({ ...chart, title, groups, isLogarithmic: log, series: ['ours'] })),
          ).toBeUndefined()
        },
      ),
    )
  })

  test('of the shootout has bars for those who ran, and none for what was not measured', () => {
    const [file, ...others] = chartsOf([aContest()])
    expect(others).toEqual([])
    expect(file?.name).toBe('shootout-100.svg')
    expect(file?.svg.match(/<rect class="s\d" x="190"/g)).toHaveLength(3)
  })
})

describe('Command line of the benchmarks', () => {
  test('without names stands for everything', () => {
    const { figures, isQuick, isList } = parseArguments([], KNOWN)
    expect([...figures]).toEqual(['traversal-hot', 'traversal-cold', 'lookup-warm-300'])
    expect({ isQuick, isList }).toEqual({ isQuick: false, isList: false })
  })

  test('takes figures, and subjects for all of theirs', () => {
    const { figures } = parseArguments(['lookup-warm-300', 'traversal', 'traversal-hot'], KNOWN)
    expect([...figures]).toEqual(['traversal-hot', 'traversal-cold', 'lookup-warm-300'])
  })

  test('takes options before and after names', () => {
    const argv = ['--quick', 'lookup', '--json', 'a.json', '--markdown', 'b.md', '--dir', 'c']
    expect(parseArguments(argv, KNOWN)).toEqual({
      figures: new Set(['lookup-warm-300']),
      isList: false,
      isQuick: true,
      withPeers: true,
      json: 'a.json',
      markdown: 'b.md',
      directory: 'c',
    })
  })

  test('leaves peers out on request', () => {
    expect(parseArguments(['--no-peers'], KNOWN).withPeers).toBe(false)
  })

  test.each([
    [['traversal-warm'], 'There is no figure named traversal-warm'],
    [['--fast'], "Unknown option '--fast'"],
    [['--json'], "'--json <value>' argument missing"],
  ])('%j is refused with words', (argv, words) => {
    expect(() => parseArguments(argv, KNOWN)).toThrow(UsageError)
    expect(() => parseArguments(argv, KNOWN)).toThrow(words)
  })

  test('an unknown name is answered with those that there are', () => {
    expect(() => parseArguments(['none'], KNOWN)).toThrow(listOf(KNOWN))
  })
})

describe('Report', () => {
  const report = new Report({
    figures: [aFigure({ peer: { what: 'raw', value: 4 }, goal: { atMost: 2 } })],
    facts: [['CPU', 'one']],
    command: 'npm run bench',
    date: new Date('2026-01-02T03:04:05Z'),
  })

  test('has a line for each figure, with all there is to say', () => {
    const [, line] = report.toText().split('\n')
    expect(line?.split(/ {2,}/)).toEqual([
      'traversal-hot',
      '2',
      'µs',
      '1–3',
      '4 (raw)',
      '0.50',
      '≤ 2',
      'yes',
    ])
  })

  test('names date, command and machine in Markdown', () => {
    expect(report.toMarkdown()).toMatch(/^2026-01-02, `npm run bench`: CPU one\.$/m)
    expect(report.toMarkdown()).toContain(
      '| traversal-hot | 2 | µs | 1–3 | 4 (raw) | 0.50 |  | ≤ 2 | yes |',
    )
  })

  test('tells what was counted beside the samples', () => {
    const figure = aFigure({ facts: { 'heap MB': 12, conflicts: 0 } })
    const run = { facts: [], command: 'npm run bench', date: new Date(0) }
    expect(new Report({ ...run, figures: [figure] }).toMarkdown()).toContain(
      '| heap MB 12, conflicts 0 |',
    )
    expect(JSON.parse(toJson([figure]))[0].facts).toEqual({ 'heap MB': 12, conflicts: 0 })
  })

  test('tells a small ratio by two digits that count, and how many times as fast was wanted', () => {
    const figure = aFigure({
      value: 0.25,
      peer: { what: 'zope', value: 16 },
      goal: { speedAtLeast: 25 },
    })
    const run = { facts: [], command: 'npm run bench', date: new Date(0) }
    const cells = new Report({ ...run, figures: [figure] }).toText().split('\n')[1]?.split(/ {2,}/)
    expect(cells?.slice(4)).toEqual(['16 (zope)', '0.016', '≥ 25 × as fast', 'yes'])
  })

  test('replaces what stands between the markers, again and again', () => {
    const text = 'before\n<!-- figures -->\nold\n<!-- /figures -->\nafter\n'
    const once = betweenMarkers(text, 'new')
    expect(once).toBe('before\n<!-- figures -->\n\nnew\n<!-- /figures -->\nafter\n')
    expect(betweenMarkers(once, 'new')).toBe(once)
  })

  test('is the whole file when there are no markers', () => {
    expect(betweenMarkers('old', 'new')).toBe('new')
  })

  const run = { facts: [['CPU', 'one']] as const, command: 'npm run bench', date: new Date(0) }
  const ofShootout = new Report({ ...run, figures: [aContest()] })

  test('of the shootout says how we stand beside each rival, and who did not run', () => {
    const [, line] = ofShootout.toText().split('\n')
    expect(line?.split(/ {2,}/)).toEqual([
      'add-100',
      '2',
      'ms',
      ...['3', '3', '1', '50000'],
      '4 (2.00)',
      '1.5 one value (0.75)',
      'did not run',
      'conflicts 0',
      '≥ 1.5 × zodb',
      'yes',
    ])
  })

  test('of the shootout has markers of its own, and leaves the other figures alone', async () => {
    const directory = await aDirectory()
    const file = join(directory, 'README.md')
    const before = 'prose\n<!-- figures -->\nold\n<!-- /figures -->\nmore prose\n'
    await writeFile(file, before)
    await ofShootout.writeMarkdown(file)
    const once = await readFile(file, 'utf8')
    expect(once.startsWith(before.trimEnd())).toBe(true)
    expect(once).toContain('| add-100 | 2 | ms |')
    expect(once).toContain('(charts/shootout-100.svg)')
    await ofShootout.writeMarkdown(file)
    expect(await readFile(file, 'utf8')).toBe(once)
    expect(await readdir(join(directory, 'charts'))).toEqual(['shootout-100.svg'])
  })

  test('of other figures leaves the shootout alone', async () => {
    const file = join(await aDirectory(), 'README.md')
    await ofShootout.writeMarkdown(file)
    const shootoutOnly = await readFile(file, 'utf8')
    await new Report({ ...run, figures: [aFigure()] }).writeMarkdown(file)
    const both = await readFile(file, 'utf8')
    expect(both.startsWith(shootoutOnly.trimEnd())).toBe(true)
    expect(both).toContain('| traversal-hot | 2 |')
  })
})

describe('A run', () => {
  test('measures what was asked for, and writes it as JSON', async () => {
    const directory = await aDirectory()
    const file = join(directory, 'figures.json')
    const { code, out } = await bench(
      '--quick',
      '--no-peers',
      'traversal-hot',
      '--json',
      file,
      '--dir',
      directory,
    )
    expect(code).toBe(0)
    expect(out).toMatch(/^traversal-hot .* ≤ 0\.5 /m)
    const [figure, ...others] = JSON.parse(await readFile(file, 'utf8'))
    expect(others).toEqual([])
    expect(figure).toEqual({
      name: 'traversal-hot',
      value: median(figure.samples),
      unit: 'µs',
      samples: [expect.any(Number), expect.any(Number), expect.any(Number)],
    })
    expect(figure.value).toBeGreaterThan(0)
  })

  test('of the shootout does every operation, and writes tables and charts', async () => {
    const directory = await aDirectory()
    const json = join(directory, 'figures.json')
    const markdown = join(directory, 'figures.md')
    const options = ['--quick', '--no-peers', '--dir', directory]
    const files = ['--json', json, '--markdown', markdown]
    const { code, error } = await bench(...options, ...files, ...SHOOTOUT_SAMPLE)
    expect({ code, error: code === 0 ? '' : error }).toEqual({ code: 0, error: '' })

    const rows = JSON.parse(await readFile(json, 'utf8')) as Record<string, unknown>[]
    const left = [...error.matchAll(/^(\S+) is left out: /gm)].map(([, name]) => name)
    expect(left.filter((name) => !MAY_BE_LEFT_OUT.includes(name as string))).toEqual([])
    expect(rows.map(({ name }) => name)).toEqual(
      SHOOTOUT_SAMPLE.filter((name) => !left.includes(name)),
    )
    for (const row of rows) expect(row).toEqual(SHOOTOUT_ROW)

    const charts = await readdir(join(directory, 'charts'))
    expect(charts).toContain('shootout-10.svg')
    const text = await readFile(markdown, 'utf8')
    for (const name of charts) {
      expect(text).toContain(`](charts/${name})`)
      expect(xmlFault(await readFile(join(directory, 'charts', name), 'utf8'))).toBeUndefined()
    }
  }, 180_000)

  test('of what is measured beside zope does without it', async () => {
    const directory = await aDirectory()
    const file = join(directory, 'figures.json')
    const options = ['--quick', '--no-peers', '--dir', directory, '--json', file]
    const { code, error } = await bench(...options, ...BESIDE_ZOPE)
    expect({ code, error: code === 0 ? '' : error }).toEqual({ code: 0, error: '' })
    const rows = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>[]
    expect(rows.map(({ name }) => name)).toEqual(BESIDE_ZOPE)
    expect(rows.filter((row) => 'peer' in row)).toEqual([])
  }, 60_000)

  test('with an unknown name ends with exit code 2 and the names', async () => {
    const { code, out, error } = await bench('traversal-warm')
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(error).toContain(
      'traversal: traversal-hot traversal-hot-memo traversal-cold site-of-depth-10',
    )
  })

  test('lists the names of all figures', async () => {
    const { code, out } = await bench('--list')
    expect(code).toBe(0)
    expect(out).toContain('lookup-warm-30000')
    expect(out).toContain('commit-1-durable-64')
  })
})

/** One figure of each work of zope but registering, in the order of the bench. */
const BESIDE_ZOPE = [
  'traversal-hot',
  'traversal-hot-memo',
  'site-of-depth-10',
  'component-lookup-1',
  'component-utility-1',
  'component-adapter-1',
  'component-notify-10',
  'permission-check-warm',
  'permission-check-cold',
]

/** One figure of each operation, in the order of the bench. */
const SHOOTOUT_SAMPLE = [
  'shootout-add-10',
  'shootout-store-10',
  'shootout-update-10',
  'shootout-read-after-write-10',
  'shootout-conflicting-updates-10',
  'shootout-read-current-10',
  'shootout-update-10-relaxed',
  'shootout-update-100-history',
  'shootout-cold-read-10',
  'shootout-hot-read-10',
  'shootout-steamin-read-10',
  'shootout-new-oid-10',
  'shootout-empty-transaction-commit',
  'shootout-commits-16',
  'shootout-container-insert-rising-8',
  'shootout-container-insert-random-8',
  'shootout-container-iterate-10000',
  'shootout-mixed-100',
  'shootout-conflict-retry-10',
  'shootout-savepoint-1000',
  'shootout-open-10000',
]

/** By versions whose API lacks what they measure. */
const MAY_BE_LEFT_OUT = [
  'shootout-read-current-10',
  'shootout-update-100-history',
  'shootout-savepoint-1000',
]

const SHOOTOUT_ROW = expect.objectContaining({
  name: expect.stringMatching(/^shootout-/),
  value: expect.any(Number),
  unit: expect.stringMatching(/^(ms|commits\/s|inserts\/s|transactions\/s)$/),
  samples: expect.any(Array),
  spread: { p95: expect.any(Number), p99: expect.any(Number), sd: expect.any(Number) },
  facts: expect.any(Object),
  rivals: expect.arrayContaining([
    { name: 'zodb', what: 'zodb', samples: [], absence: 'left out by --no-peers' },
  ]),
  targets: expect.any(Array),
})
