import { createRequire } from 'node:module'
import { join } from 'node:path'
import { NotAvailableError } from './not-available.js'
import { peerFolder, runProgram } from './peer-folder.js'

/**
 * What an npm package exports, which is none of ours: installed in a folder of its own when missing.
 * @throws NotAvailableError without network, or without the compiler that the package needs.
 */
export async function packagePeer(name: string, version: string): Promise<unknown> {
  const folder = await peerFolder(
    `${name}-${version}-abi${process.versions.modules}`,
    (unfinished) =>
      runProgram('npm', ['install', ...QUIETLY, '--prefix', unfinished, `${name}@${version}`]),
  )
  try {
    return createRequire(join(folder, 'from-here.js'))(name)
  } catch (error) {
    throw new NotAvailableError(`${name} cannot be loaded: ${(error as Error).message}`)
  }
}

const QUIETLY = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error']
