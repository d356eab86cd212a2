import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { transformFileSync } from '@swc/core'

/** What the programs need of the project. */
const SOURCES = [
  'lib/foundation',
  'lib/storage',
  'lib/transaction',
  'lib/persistence',
  'lib/operations',
  'spec/support/crash',
]

/**
 * The programs of this folder as JavaScript in a directory of their own: hundreds of processes are
 * started, and each would spend 0.3 s on translating TypeScript.
 */
export class Programs {
  /** Also the place for what the programs write. */
  readonly directory = mkdtempSync(join(tmpdir(), 'treehook-crash-'))

  constructor() {
    writeFileSync(join(this.directory, 'package.json'), '{ "type": "module" }')
    symlinkSync(join(process.cwd(), 'node_modules'), join(this.directory, 'node_modules'))
    for (const folder of SOURCES) this.#translate(folder)
  }

  /** The command and the arguments that run a program. */
  commandOf(program: 'writer' | 'inspector' | 'full-disk', ...args: readonly string[]): string[] {
    const path = join(this.directory, 'spec/support/crash', `${program}.js`)
    return [process.execPath, path, ...args]
  }

  /** A directory below `directory`, new or not. */
  place(name: string): string {
    return join(this.directory, 'data', name)
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }

  #translate(folder: string): void {
    for (const one of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, one.name)
      if (one.isDirectory()) this.#translate(path)
      else if (path.endsWith('.ts')) this.#translateFile(path)
    }
  }

  #translateFile(path: string): void {
    const { code } = transformFileSync(path, {
      swcrc: false,
      jsc: {
        target: 'es2022',
        parser: { syntax: 'typescript', decorators: true },
        transform: { decoratorVersion: '2022-03', verbatimModuleSyntax: true },
      },
      module: { type: 'es6' },
    })
    const translated = join(this.directory, path.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(translated), { recursive: true })
    writeFileSync(translated, code)
  }
}

/** Starts a program; what it says on stderr goes to ours, unless it is to be heard. */
export function start(
  [file, ...args]: readonly string[],
  { stderr = 'inherit' }: { readonly stderr?: 'inherit' | 'pipe' } = {},
): ChildProcess {
  return spawn(file!, args, {
    stdio: ['pipe', 'pipe', stderr],
    // Asynchronous file operations by io_uring are seen by no tracer.
    env: { ...process.env, UV_USE_IO_URING: '0' },
  })
}
