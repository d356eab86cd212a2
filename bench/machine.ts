import { readFile } from 'node:fs/promises'
import { cpus, release, totalmem, type } from 'node:os'
import { basename, join } from 'node:path'

/** What a figure depends on beside the code: `[what, value]`. */
export type MachineFacts = readonly (readonly [what: string, value: string])[]

/** @param directory - where the databases are made. */
export async function machineFacts(directory: string): Promise<MachineFacts> {
  const processors = cpus()
  return [
    ['CPU', `${processors[0]?.model.trim() ?? 'unknown'}, ${processors.length} cores`],
    ['memory', `${Math.round(totalmem() / 2 ** 30)} GiB`],
    ['system', `${type()} ${release()}`],
    ['disk', await diskOf(directory)],
    ['Node', process.version],
    ['packages', (await Promise.all(PACKAGES.map(versionOf))).join(', ')],
  ]
}

const PACKAGES = ['level', 'classic-level', 'msgpackr', 'undici']

async function versionOf(name: string): Promise<string> {
  const file = join(process.cwd(), 'node_modules', name, 'package.json')
  const { version } = JSON.parse(await readFile(file, 'utf8')) as { version: string }
  return `${name} ${version}`
}

/** The file system that holds a directory, and what it is on; as far as the system tells. */
async function diskOf(directory: string): Promise<string> {
  const mounts = await readFile('/proc/self/mounts', 'utf8').catch(() => '')
  let longest = ''
  let found = 'unknown'
  for (const line of mounts.split('\n')) {
    const [device = '', path = '', fileSystem = ''] = line.split(' ')
    const isAbove = path === '/' || directory === path || directory.startsWith(`${path}/`)
    if (!isAbove || path.length < longest.length) continue
    longest = path
    found = `${fileSystem} on ${device}${await kindOf(device)}`
  }
  return found
}

async function kindOf(device: string): Promise<string> {
  if (!device.startsWith('/dev/')) return ''
  const about = `/sys/class/block/${basename(device)}`
  for (const file of [`${about}/queue/rotational`, `${about}/../queue/rotational`]) {
    const text = await readFile(file, 'utf8').catch(() => undefined)
    if (text !== undefined) return text.trim() === '0' ? ', not rotating' : ', said to be rotating'
  }
  return ''
}
