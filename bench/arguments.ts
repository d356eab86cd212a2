import { parseArgs } from 'node:util'

/** What a run was asked to do. */
export interface Arguments {
  /** Names of figures, in the order of `known`. */
  readonly figures: ReadonlySet<string>
  readonly isList: boolean
  readonly isQuick: boolean
  /** False: programs that are not ours are neither installed nor run. */
  readonly withPeers: boolean
  /** Where to write the result. */
  readonly json?: string
  readonly markdown?: string
  /** Where databases are made; default: the system's directory for temporary files. */
  readonly directory?: string
}

/** A command line that cannot be followed; the message says what can. */
export class UsageError extends Error {}

export const USAGE = `npm run bench -- [name…] [options]

  name             a figure, or a subject for all of its figures; default: everything
  --list           print the names
  --quick          fewer and shorter rounds
  --no-peers       leave out zope, ZODB, lmdb and better-sqlite3, which are installed in .bench/peers
  --json FILE      write the figures as JSON
  --markdown FILE  write the table, between <!-- figures --> and <!-- /figures --> if FILE has them;
                   of the shootout, between <!-- shootout --> and <!-- /shootout -->, with charts in charts/
  --dir DIRECTORY  make the databases there instead of in the temporary directory`

/**
 * @param known - the figures of each subject.
 * @throws UsageError
 */
export function parseArguments(
  argv: readonly string[],
  known: ReadonlyMap<string, readonly string[]>,
): Arguments {
  const { positionals, values } = parse(argv)
  const { json, markdown, dir } = values
  return {
    figures: figuresNamed(positionals, known),
    isList: values.list ?? false,
    isQuick: values.quick ?? false,
    withPeers: !values['no-peers'],
    ...(json !== undefined && { json }),
    ...(markdown !== undefined && { markdown }),
    ...(dir !== undefined && { directory: dir }),
  }
}

/** The names, a subject on each line. */
export function listOf(known: ReadonlyMap<string, readonly string[]>): string {
  return [...known].map(([subject, figures]) => `${subject}: ${figures.join(' ')}`).join('\n')
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        list: { type: 'boolean' },
        quick: { type: 'boolean' },
        'no-peers': { type: 'boolean' },
        json: { type: 'string' },
        markdown: { type: 'string' },
        dir: { type: 'string' },
      },
    })
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${USAGE}`)
  }
}

function figuresNamed(
  names: readonly string[],
  known: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const all = [...known.values()].flat()
  if (names.length === 0) return new Set(all)
  const unknown = names.filter((name) => !known.has(name) && !all.includes(name))
  if (unknown.length > 0) {
    throw new UsageError(`There is no figure named ${unknown.join(', ')}.\n\n${listOf(known)}`)
  }
  const named = new Set(names.flatMap((name) => known.get(name) ?? [name]))
  return new Set(all.filter((figure) => named.has(figure)))
}
