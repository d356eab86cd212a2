import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { listOf, parseArguments, UsageError } from '../bench/arguments.js'
import { type Figure, isGoalMet, toJson } from '../bench/figure.js'
import { alternate, best, median, ratePerSecond, verify } from '../bench/harness.js'
import { betweenMarkers, Report } from '../bench/report.js'

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
  ])('with the goal %j of a value of 2 beside 4: %s', (goal, isMet) => {
    expect(isGoalMet(aFigure({ goal, peer: { what: 'raw', value: 4 } }))).toBe(isMet)
  })

  test('without a goal is neither met nor missed', () => {
    expect(isGoalMet(aFigure())).toBeUndefined()
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
      json: 'a.json',
      markdown: 'b.md',
      directory: 'c',
    })
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
      '| traversal-hot | 2 | µs | 1–3 | 4 (raw) | 0.50 | ≤ 2 | yes |',
    )
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
})

describe('A run', () => {
  test('measures what was asked for, and writes it as JSON', async () => {
    const directory = await aDirectory()
    const file = join(directory, 'figures.json')
    const { code, out } = await bench(
      '--quick',
      'traversal-hot',
      '--json',
      file,
      '--dir',
      directory,
    )
    expect(code).toBe(0)
    expect(out).toMatch(/^traversal-hot .* ≤ 0\.6 /m)
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

  test('with an unknown name ends with exit code 2 and the names', async () => {
    const { code, out, error } = await bench('traversal-warm')
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(error).toContain('traversal: traversal-hot traversal-cold')
  })

  test('lists the names of all figures', async () => {
    const { code, out } = await bench('--list')
    expect(code).toBe(0)
    expect(out).toContain('lookup-warm-30000')
    expect(out).toContain('commit-1-durable-64')
  })
})
