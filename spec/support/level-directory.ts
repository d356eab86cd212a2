import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'

/** Keys of fixed width, so that their order is their number's. */
export function keyOf(number: number): string {
  return `key ${String(number).padStart(6, '0')}`
}

/** A closed LevelDB with so many entries in tables and, when wanted, some more in its log. */
export async function aLevelDirectory(
  directory: string,
  {
    entries = 2000,
    compression = true,
    inLog = 0,
  }: { entries?: number; compression?: boolean; inLog?: number } = {},
): Promise<string> {
  const level = new ClassicLevel(directory, { compression, writeBufferSize: 64 * 1024 })
  await level.open()
  for (let number = 0; number < entries; number++) {
    await level.put(keyOf(number), `value ${number} `.repeat(10))
  }
  await level.compactRange(keyOf(0), keyOf(entries))
  for (let number = 0; number < inLog; number++) await level.put(`log ${number}`, 'x'.repeat(400))
  await level.close()
  return directory
}

/** The contents of the files whose names match, by name. */
export async function filesOf(directory: string, names: RegExp): Promise<Map<string, Buffer>> {
  const found = (await readdir(directory)).filter((name) => names.test(name)).sort()
  return new Map(
    await Promise.all(
      found.map(async (name) => [name, await readFile(join(directory, name))] as const),
    ),
  )
}
