import { spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** How one example went. */
export interface ExampleResult {
  readonly name: string
  /** Empty when it printed what stands in it; else what differs, for people. */
  readonly problem: string
}

/** The examples of a directory, in reading order. */
export async function examplesIn(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => /^\d\d-.*\.ts$/.test(name)).sort()
}

/**
 * Runs an example in a process of its own and holds what it prints against the lines behind `//=>`
 * in its text, in order. In those lines `…` stands for any text.
 */
export async function runExample(directory: string, name: string): Promise<ExampleResult> {
  const file = join(directory, name)
  const expected = expectedLines(await readFile(file, 'utf8'))
  const { code, stdout, stderr } = await runScript(file)
  const printed = stdout.split('\n').slice(0, -1)
  if (code !== 0) return { name, problem: `ended with ${code}\n${stderr}` }
  const line = expected.findIndex((text, index) => !matches(text, printed[index]))
  const at = line === -1 && printed.length > expected.length ? expected.length : line
  if (at === -1) return { name, problem: '' }
  return {
    name,
    problem: `line ${at + 1} of its output\n  expected ${expected[at]}\n  printed  ${printed[at]}`,
  }
}

function expectedLines(source: string): string[] {
  return [...source.matchAll(/^\s*\/\/=> ?(.*)$/gm)].map(([, text = '']) => text)
}

function matches(expected: string, printed: string | undefined): boolean {
  if (printed === undefined) return false
  const parts = expected.split('…').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(printed)
}

function runScript(file: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })))
}
