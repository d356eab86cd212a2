import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** LevelDB's files in a directory whose names match. */
export async function levelFiles(directory: string, names: RegExp): Promise<string[]> {
  return (await readdir(directory)).filter((name) => names.test(name)).sort()
}

/** Flips one bit of a file. */
export async function flipBit(path: string, { at, bit = 0 }: { at: number; bit?: number }) {
  const bytes = await readFile(path)
  bytes[at] = (bytes[at] as number) ^ (1 << bit)
  await writeFile(path, bytes)
}

/** Where a text stands in the files of a directory, plain. */
export async function findInFiles(
  directory: string,
  { names, text }: { names: RegExp; text: string },
): Promise<{ file: string; at: number }[]> {
  const found: { file: string; at: number }[] = []
  for (const file of await levelFiles(directory, names)) {
    const bytes = await readFile(join(directory, file))
    for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + 1)) {
      found.push({ file, at })
    }
  }
  return found
}
