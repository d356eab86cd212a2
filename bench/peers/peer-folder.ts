import { execFile } from 'node:child_process'
import { access, mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { NotAvailableError } from './not-available.js'

/**
 * Where a peer is kept once it was installed, beside the compiled benchmarks; never part of the
 * package. Installed when it is missing, all or nothing.
 *
 * @param name - with the version: another one goes to another folder.
 * @throws NotAvailableError with the reason in one line.
 */
export async function peerFolder(
  name: string,
  install: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(process.cwd(), '.bench', 'peers', name)
  if (await exists(folder)) return folder
  const unfinished = `${folder}.${process.pid}`
  console.error(`installing ${name} …`)
  try {
    await mkdir(unfinished, { recursive: true })
    await install(unfinished)
    await rename(unfinished, folder)
    return folder
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    throw new NotAvailableError(`${name} cannot be installed: ${reasonOf(error)}`)
  }
}

/** Runs a program to its end, without a terminal. */
export async function runProgram(file: string, args: readonly string[]): Promise<void> {
  await promisify(execFile)(file, [...args], { timeout: INSTALL_TIMEOUT_MS })
}

/** A compiler may have to run. */
const INSTALL_TIMEOUT_MS = 600_000

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** The last line that says something. */
function reasonOf(error: unknown): string {
  const { stderr, message } = error as { readonly stderr?: string; readonly message: string }
  const lines = (stderr || message).split('\n').filter((line) => line.trim() !== '')
  return (lines.at(-1) ?? 'no reason given').trim()
}
