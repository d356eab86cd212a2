// What no compiler checks: that the house stays as docs/architecture.md draws it, and that the
// documents and the code agree. It reads files; it runs nothing but the error tables.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import ts from 'typescript'
import { componentErrors } from '../lib/component/index.js'
import { contentErrors } from '../lib/content/index.js'
import { operationsErrors } from '../lib/operations/index.js'
import { persistenceErrors } from '../lib/persistence/index.js'
import { securityErrors } from '../lib/security/index.js'
import { storageErrors } from '../lib/storage/index.js'
import { transactionErrors } from '../lib/transaction/index.js'
import { VERSION } from '../lib/version.js'
import { webhookErrors } from '../lib/webhooks/index.js'

/** Layer → what it may import. docs/architecture.md has the same table. */
const ALLOWED_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  foundation: [],
  storage: ['foundation'],
  transaction: ['foundation'],
  persistence: ['foundation', 'storage', 'transaction'],
  operations: ['foundation', 'storage', 'persistence'],
  component: ['foundation'],
  content: ['foundation', 'transaction', 'persistence', 'component'],
  security: ['foundation', 'persistence', 'component', 'content'],
  webhooks: ['foundation', 'transaction', 'persistence', 'component', 'content', 'version'],
  cli: ['foundation', 'storage', 'persistence', 'content', 'operations', 'version'],
  testing: ['foundation', 'transaction'],
}

/** They stand above the layers: the composition of the house, its door, and its number. */
const ABOVE_THE_LAYERS = ['lib/database.ts', 'lib/index.ts', 'lib/version.ts']

/** Words that mean one thing, and the places where they may stand. Regular expressions of places. */
const WORDS: readonly { readonly word: RegExp; readonly only: RegExp; readonly instead: string }[] =
  [
    { word: /\battempt(s|ed)?\b/i, only: /^lib\/(webhooks|index)/, instead: 'try' },
    {
      word: /\brollback\b|\broll(ed)? back\b/i,
      only: /^lib\/(transaction|persistence|content|webhooks|testing)\//,
      instead: 'abort',
    },
    {
      word: /\bsnapshots?\b/i,
      only: /^lib\/(storage|persistence|operations)\//,
      instead: 'savepoint, copy',
    },
    { word: /\b(pickle|jar|ghosted|unghost)\b/i, only: /^$/, instead: 'record, connection' },
    { word: /\bshared? structures?\b/i, only: /^$/, instead: 'class row' },
    { word: /\bmigrations?\b/i, only: /^$/, instead: 'evolve' },
  ]
/** What the words above may also stand in: names and sayings of others, quoted. */
const QUOTED = /`[^`]*`|@see .*|Source: .*|ZODB's .*|_p_\w+/g

describe('Layers', () => {
  test('docs/architecture.md has the table of allowed imports', () => {
    expect(layersInDocument()).toEqual(ALLOWED_IMPORTS)
  })

  test('every folder of lib is a layer of the table', () => {
    const folders = new Set(LIB.filter((file) => !ABOVE_THE_LAYERS.includes(file)).map(layerOf))
    expect([...folders].sort()).toEqual(Object.keys(ALLOWED_IMPORTS).sort())
  })

  test('import only what the table allows', () => {
    const wrong = imports().filter(({ from, to, isType }) => {
      const [here, there] = [layerOf(from), layerOf(to)]
      if (here === there || ABOVE_THE_LAYERS.includes(from)) return false
      // Helpers for tests may name the types of any layer, and import nothing of it.
      if (here === 'testing' && isType) return false
      return !ALLOWED_IMPORTS[here]?.includes(there)
    })
    expect(wrong.map(inWords)).toEqual([])
  })

  test('import other layers through their doors', () => {
    const wrong = imports().filter(
      ({ from, to, isType }) =>
        layerOf(from) !== layerOf(to) &&
        !to.endsWith('/index.ts') &&
        !ABOVE_THE_LAYERS.includes(to) &&
        !(layerOf(from) === 'testing' && isType),
    )
    expect(wrong.map(inWords)).toEqual([])
  })

  test('have no file that imports itself over others', () => {
    expect(cycles()).toEqual([])
  })

  test('have an architecture page with a line for each file', () => {
    const text = read('docs/architecture.md')
    const named = [...text.matchAll(/^\| `([\w/.-]+\.ts)`/gm)].map(([, name]) => `lib/${name}`)
    expect(LIB.filter((file) => !named.includes(file))).toEqual([])
    expect(named.filter((file) => !LIB.includes(file))).toEqual([])
  })
})

describe('Specs', () => {
  test('there is one for every file that has anything to run', () => {
    const missing = LIB.filter((file) => !isDoor(file) && !isTypesOnly(file)).filter(
      (file) => !existsSync(at(specOf(file))),
    )
    expect(missing).toEqual([])
  })

  test('every one in a layer has its file', () => {
    const mirrored = files('spec').filter(
      (file) =>
        file.endsWith('.spec.ts') && layerOf(file.replace(/^spec/, 'lib')) in ALLOWED_IMPORTS,
    )
    const orphans = mirrored.filter(
      (file) => !existsSync(at(file.replace(/^spec/, 'lib').replace(/\.spec\.ts$/, '.ts'))),
    )
    expect(orphans).toEqual([])
  })
})

describe('Documents', () => {
  test('docs/reference/errors.md has the errors of all layers', () => {
    const tables = [
      storageErrors,
      transactionErrors,
      persistenceErrors,
      componentErrors,
      operationsErrors,
      contentErrors,
      securityErrors,
      webhookErrors,
    ]
    const rows = [
      ...read('docs/reference/errors.md').matchAll(/^\| `([A-Z_]+)` \| `(\w+)` \| (yes|no) \|/gm),
    ].map(([, code, name, retryable]) => `${code} ${name} ${retryable}`)
    const errors = tables
      .flat()
      .map((one) => `${one.code} ${one.name} ${one.retryable ? 'yes' : 'no'}`)
    expect(rows.sort()).toEqual(errors.sort())
  })

  test('every error class of lib is in its layer’s table', () => {
    const declared = LIB.flatMap((file) =>
      [...read(file).matchAll(/defineError\(\s*'\w+',\s*'([A-Z_]+)'/g)].map(([, code]) => code),
    )
    const text = read('docs/reference/errors.md')
    expect(declared.filter((code) => !text.includes(`| \`${code}\` |`))).toEqual([])
  })

  test('docs/parity.md has each row of the object database once, shown by a spec or not offered', () => {
    const rows = [...read('docs/parity.md').matchAll(/^\| P(\d+) \| (.*) \|$/gm)]
    const numbers = rows.map(([, number]) => Number(number))
    const range = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, i) => from + i)
    expect(numbers).toEqual(range(1, 184))
    const unproved = rows.filter(
      ([, , text = '']) => !text.includes('](../spec/') && !text.includes('not offered'),
    )
    expect(unproved.map(([, number]) => number)).toEqual([])
  })

  test('docs/data-format.md has every constant that is on disk, with its value', () => {
    const listed = new Map(
      [
        ...read('docs/data-format.md').matchAll(
          /^\| `(\w+)` \| `lib\/([\w/.-]+)` \| `([^`]+)` \|/gm,
        ),
      ].map(([, name = '', file = '', value = '']) => [`${file} ${name}`, value]),
    )
    const declared = LIB.flatMap(diskConstants)
    expect(declared.length).toBeGreaterThan(5)
    expect(declared.filter((one) => !listed.has(one))).toEqual([])
    for (const [one, value] of listed) {
      const [file, name] = one.split(' ') as [string, string]
      expect(`${one} = ${declaredValue(file, name)}`).toBe(`${one} = ${value}`)
    }
  })

  test('docs/data-format.md has every stored name of the library', () => {
    const names = LIB.flatMap((file) =>
      [...withoutComments(read(file)).matchAll(/\bstored\('([\w.]+)'\)|_CLASS = '([\w.]+)'/g)].map(
        ([, one, other]) => one ?? other,
      ),
    )
    expect(names.length).toBeGreaterThan(5)
    const text = read('docs/data-format.md')
    expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([])
  })

  test('their relative links lead somewhere', () => {
    expect(DOCUMENTS.flatMap(deadLinks)).toEqual([])
  })

  test('what comments of lib name in docs is there', () => {
    const dead = LIB.flatMap((file) =>
      [...read(file).matchAll(/\bdocs\/([\w/-]+)/g)]
        .map(([, path = '']) => `docs/${path}`)
        .filter((path) => !isDocument(path))
        .map((path) => `${file} → ${path}`),
    )
    expect(dead).toEqual([])
  })
})

describe('Text', () => {
  test('nothing is left to do, and no test is left out', () => {
    const left = new RegExp(
      ['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].map((word) => `\\b${word}\\b`).join('|') +
        `|\\b(describe|test|it)\\.(only|skip|${'to' + 'do'}|failing)\\b(?=[.(])|\\b[fx](describe|test|it)\\(`,
    )
    const found = [...SOURCES, ...DOCUMENTS].filter((file) => left.test(read(file)))
    expect(found).toEqual([])
  })

  test('a word means one thing', () => {
    const wrong: string[] = []
    for (const file of LIB) {
      const lines = read(file).split('\n')
      for (const { word, only, instead } of WORDS) {
        if (only.test(file)) continue
        lines.forEach((line, index) => {
          const found = word.exec(line.replaceAll(QUOTED, ''))
          if (found) wrong.push(`${file}:${index + 1}: "${found[0]}", say ${instead}`)
        })
      }
    }
    expect(wrong).toEqual([])
  })

  test('lib/version.ts has the version of package.json', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string }
    expect(VERSION).toBe(version)
    expect(read('CHANGELOG.md')).toContain(`## [${version}]`)
  })

  test('the longest files are known', () => {
    const sizes = LIB.map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
    sizes.sort((one, other) => other.lines - one.lines)
    const longest = sizes
      .slice(0, 10)
      .map(({ file, lines }) => `${String(lines).padStart(5)} ${file}`)
    // A report, not a limit.
    console.log(['The longest files of lib:', ...longest].join('\n'))
    expect(longest).toHaveLength(10)
  })
})

// -- Files

const ROOT = resolve(__dirname, '..')
const LIB = files('lib').filter((file) => file.endsWith('.ts'))
const SOURCES = ['lib', 'spec', 'examples', 'bench']
  .flatMap(files)
  .filter((file) => file.endsWith('.ts'))
const DOCUMENTS = [
  'README.md',
  'CHANGELOG.md',
  ...['docs', 'examples', 'bench'].flatMap(files).filter((file) => file.endsWith('.md')),
]

function at(path: string): string {
  return join(ROOT, path)
}

function read(path: string): string {
  return readFileSync(at(path), 'utf8')
}

function files(folder: string): string[] {
  return readdirSync(at(folder), { withFileTypes: true }).flatMap((one) => {
    const path = `${folder}/${one.name}`
    return one.isDirectory() ? files(path) : [path]
  })
}

function shortName(file: string): string {
  return file.replace(/^lib\//, '')
}

function specOf(file: string): string {
  return file.replace(/^lib/, 'spec').replace(/\.ts$/, '.spec.ts')
}

function isDoor(file: string): boolean {
  return /\/(index|interfaces|errors|version)\.ts$/.test(file)
}

// -- Imports

interface Import {
  readonly from: string
  readonly to: string
  /** Nothing of it is there when the program runs. */
  readonly isType: boolean
}

/** All imports and exports between files of lib. */
function imports(): readonly Import[] {
  return LIB.flatMap((from) =>
    parse(from).statements.flatMap((statement) => {
      if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return []
      const { moduleSpecifier } = statement
      if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return []
      if (!moduleSpecifier.text.startsWith('.')) return []
      const path = resolve(dirname(at(from)), moduleSpecifier.text.replace(/\.js$/, '.ts'))
      const isType = ts.isImportDeclaration(statement)
        ? statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
        : statement.isTypeOnly
      return [{ from, to: relative(ROOT, path).replaceAll('\\', '/'), isType }]
    }),
  )
}

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, read(file), ts.ScriptTarget.ES2022, false)
}

/** The folder below `lib`; of a file in `lib` itself its name. */
function layerOf(file: string): string {
  return (file.split('/')[1] as string).replace(/\.ts$/, '')
}

function inWords({ from, to }: Import): string {
  return `${from} imports ${to}`
}

/** Each as the files on the way, by depth-first search. */
function cycles(): string[] {
  const next = new Map<string, string[]>(LIB.map((file) => [file, []]))
  for (const { from, to, isType } of imports()) if (!isType) next.get(from)?.push(to)
  const found: string[] = []
  const finished = new Set<string>()
  const way: string[] = []
  const visit = (file: string): void => {
    if (finished.has(file)) return
    const start = way.indexOf(file)
    if (start !== -1) {
      found.push([...way.slice(start), file].map(shortName).join(' → '))
      return
    }
    way.push(file)
    for (const to of next.get(file) ?? []) visit(to)
    way.pop()
    finished.add(file)
  }
  for (const file of LIB) visit(file)
  return found
}

/** True for a file that is gone once types are. */
function isTypesOnly(file: string): boolean {
  return parse(file).statements.every(
    (statement) =>
      ts.isInterfaceDeclaration(statement) ||
      ts.isTypeAliasDeclaration(statement) ||
      (ts.isImportDeclaration(statement) &&
        statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword) ||
      (ts.isExportDeclaration(statement) && statement.isTypeOnly),
  )
}

/** The rows between the two markers: layer, what it is, what it may import. */
function layersInDocument(): Record<string, string[]> {
  const [, table = ''] =
    /<!-- layers -->\n([\s\S]*?)<!-- \/layers -->/.exec(read('docs/architecture.md')) ?? []
  return Object.fromEntries(
    [...table.matchAll(/^\| `(\w+)` \| [^|]* \| ([^|]*) \|$/gm)].map(
      ([, layer = '', list = '']) => [
        layer,
        [...list.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
      ],
    ),
  )
}

// -- Constants

/** `file name` of each constant below a comment that says it is on disk, or is an extension's type. */
function diskConstants(file: string): string[] {
  const marked = /\bOn disk\b(?:(?!\*\/)[\s\S])*\*\/\s*(?:export )?const (\w+)/g
  const types = /\btype: ([A-Z_]+),/g
  const text = read(file)
  const names = [...text.matchAll(marked), ...text.matchAll(types)]
    .map(([, name = '']) => name)
    .filter((name) => text.includes(`const ${name} `)) // else it is another file's
  return names.map((name) => `${shortName(file)} ${name}`)
}

function declaredValue(file: string, name: string): string | undefined {
  const declaration = new RegExp(`^(?:export )?const ${name}(?:: \\w+)? =\\s+(.*)$`, 'm')
  return declaration.exec(read(`lib/${file}`))?.[1]
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/\/\/.*$/gm, '')
}

// -- Links

function deadLinks(document: string): string[] {
  const text = read(document).replaceAll(/```[\s\S]*?```/g, '')
  return [...text.matchAll(/\]\(([^()\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link) && !leadsSomewhere(document, link))
    .map((link) => `${document} → ${link}`)
}

function leadsSomewhere(document: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? at(document) : resolve(dirname(at(document)), path)
  if (!existsSync(target)) return false
  if (anchor === undefined || statSync(target).isDirectory()) return true
  return anchorsOf(readFileSync(target, 'utf8')).includes(anchor)
}

/** As GitHub makes them from headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** `docs/adr/0003` stands for the page that begins so. */
function isDocument(path: string): boolean {
  if (existsSync(at(path)) || existsSync(at(`${path}.md`))) return true
  return DOCUMENTS.some((document) => document.startsWith(`${path}-`))
}
