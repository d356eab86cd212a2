import { mkdir, writeFile } from 'node:fs/promises'
import { type Arguments, listOf, parseArguments, UsageError } from './arguments.js'
import { commit } from './commit.bench.js'
import { component } from './component.bench.js'
import { delivery } from './delivery.bench.js'
import { type Figure, toJson } from './figure.js'
import { lookup } from './lookup.bench.js'
import { machineFacts } from './machine.js'
import { memory } from './memory.bench.js'
import { pack } from './pack.bench.js'
import { Report } from './report.js'
import { security } from './security.bench.js'
import { shootout } from './shootout/shootout.bench.js'
import { FULL, QUICK, type Subject } from './subject.js'
import { traversal } from './traversal.bench.js'
import { tree } from './tree.bench.js'
import { Workspace } from './workspace.js'

const SUBJECTS: readonly Subject[] = [
  traversal,
  lookup,
  component,
  security,
  tree,
  commit,
  delivery,
  pack,
  shootout,
  memory,
]

process.exitCode = await main(process.argv.slice(2))

/** @returns the exit code: 2 for a command line that cannot be followed. */
async function main(argv: readonly string[]): Promise<number> {
  const known = new Map(SUBJECTS.map(({ name, figures }) => [name, figures]))
  try {
    const wanted = parseArguments(argv, known)
    if (wanted.isList) console.log(listOf(known))
    else await run(wanted, ['npm run bench', ...(argv.length > 0 ? ['--', ...argv] : [])].join(' '))
    return 0
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(error.message)
    return 2
  }
}

async function run(wanted: Arguments, command: string): Promise<void> {
  const { directory, json, markdown } = wanted
  if (directory !== undefined) await mkdir(directory, { recursive: true })
  await using workspace = await Workspace.create(directory)
  const notes = new Map<string, string>()
  const figures = await measure(wanted, workspace, notes)
  const facts = [...(await machineFacts(workspace.location)), ...notes]
  const report = new Report({ figures, facts, command, date: new Date() })
  console.log(report.toText())
  if (json !== undefined) await writeFile(json, toJson(figures))
  if (markdown !== undefined) await report.writeMarkdown(markdown)
}

async function measure(
  { figures: names, isQuick, withPeers }: Arguments,
  workspace: Workspace,
  notes: Map<string, string>,
): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  const note = (what: string, value: string): void => void notes.set(what, value)
  const settings = { ...(isQuick ? QUICK : FULL), withPeers, workspace, note }
  for (const subject of SUBJECTS) {
    if (!subject.figures.some((name) => names.has(name))) continue
    console.error(`measuring ${subject.name} …`)
    for await (const figure of subject.measure(names, settings)) figures.push(figure)
  }
  return figures
}
