import { parseArgs } from 'node:util'
import { codeOf } from '../foundation/index.js'
import { VERSION } from '../version.js'
import { COMMANDS, type Command } from './commands.js'

/** Where a command writes; `out` is for results, `err` for what is wrong. */
export interface Console {
  out(line: string): void
  err(line: string): void
}

/**
 * Runs `treehook` with the arguments after its name.
 *
 * @returns the exit status: 0 when all is well, 1 when something is wrong with the data or it cannot
 *   be done, 2 when the arguments are wrong.
 */
export async function runCommand(
  args: readonly string[],
  console: Console,
  signal?: AbortSignal,
): Promise<number> {
  const [name = '--help', ...rest] = args
  if (name === '--help' || name === 'help') return told(console, usage())
  if (name === '--version') return told(console, VERSION)
  const command = COMMANDS.get(name)
  if (command === undefined) return misused(console, `There is no command ${JSON.stringify(name)}.`)
  let parsed: Arguments
  try {
    parsed = argumentsOf(command, rest)
  } catch (error) {
    return misused(console, (error as Error).message, command)
  }
  if (parsed.values.help === true) return told(console, usage(command))
  try {
    return (await command.run({ ...parsed, console, signal })) ? 0 : 1
  } catch (error) {
    console.err(describeFailure(error))
    return 1
  }
}

interface Arguments {
  readonly values: Readonly<Record<string, string | boolean | undefined>>
  readonly positionals: readonly string[]
}

/** @throws a message for people. */
function argumentsOf(command: Command, args: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { help: { type: 'boolean' }, ...command.options },
  })
  const wanted = command.places.length
  const most = wanted + (command.optionalPlace === undefined ? 0 : 1)
  if (values.help !== true && (positionals.length < wanted || positionals.length > most)) {
    const places = most === wanted ? `${wanted}` : `${wanted} or ${most}`
    throw new Error(`It takes ${places} place${most === 1 ? '' : 's'}, not ${positionals.length}.`)
  }
  return { values: values as Arguments['values'], positionals }
}

function usage(command?: Command): string {
  const commands = command === undefined ? [...COMMANDS.values()] : [command]
  const lines = commands.flatMap(({ name, places, optionalPlace, options, what }) => {
    const names = places.map((place) => `<${place}>`)
    if (optionalPlace !== undefined) names.push(`[${optionalPlace}]`)
    const given = Object.entries(options).map(([option, { type }]) =>
      type === 'boolean' ? `[--${option}]` : `[--${option} …]`,
    )
    return [`  treehook ${[name, ...names, ...given].join(' ')}`, `      ${what}`]
  })
  return ['Usage:', ...lines].join('\n')
}

function told(console: Console, text: string): number {
  console.out(text)
  return 0
}

function misused(console: Console, why: string, command?: Command): number {
  console.err(`${why}\n${usage(command)}`)
  return 2
}

function describeFailure(error: unknown): string {
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  return code === undefined ? message : `${code}: ${message}`
}
