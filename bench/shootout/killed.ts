import { fork } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, link, mkdir, readdir, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { verify } from '../harness.js'
import type { Workspace } from '../workspace.js'
import type { Supplies } from './contender.js'
import type { Task } from './task.js'

/** What a process left that was killed, for all who open it: made once in a run. */
export function killedDatabase(task: Task, { workspace, seed }: Supplies): Promise<string> {
  const known = directories.get(workspace) ?? new Map<string, Promise<string>>()
  directories.set(workspace, known)
  const name = `${task.objects} ${task.isReopened}`
  const made = known.get(name) ?? fillAndKill(workspace.directory('killed'), task, seed)
  known.set(name, made)
  return made
}

const directories = new WeakMap<Workspace, Map<string, Promise<string>>>()

async function fillAndKill(
  location: string,
  { objects, isReopened }: Task,
  seed: number,
): Promise<string> {
  const then = isReopened ? 'reopen' : 'die'
  const child = fork(PROGRAM, [location, String(objects), String(seed), then])
  const ended = once(child, 'exit')
  const isFilled = await Promise.race([once(child, 'message').then(() => true), ended])
  child.kill('SIGKILL')
  const [, signal] = await ended
  verify('what ended the process that fills', isFilled === true && signal, 'SIGKILL')
  return location
}

/** The same program as the one that runs, compiled or not. */
const PROGRAM = fileURLToPath(new URL(`./fill-program${extname(import.meta.url)}`, import.meta.url))

/** Tables never change, so a second name for each does; what LevelDB writes to is copied. */
export async function cloneDirectory(from: string, to: string): Promise<void> {
  await mkdir(to)
  for (const name of await readdir(from)) {
    const clone = name.endsWith('.ldb') ? link : copyFile
    await clone(join(from, name), join(to, name))
  }
}

/** What LevelDB has to read and make tables of when it opens. */
export async function megabytesOfLogs(directory: string): Promise<number> {
  const logs = (await readdir(directory)).filter((name) => name.endsWith('.log'))
  const sizes = await Promise.all(logs.map((name) => stat(join(directory, name))))
  return sizes.reduce((sum, { size }) => sum + size, 0) / 1e6
}
