import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import { ClassicLevel } from 'classic-level'
import { logsInUse, sessionOf } from '../../lib/storage/level-manifest.js'
import { aLogWith, aManifestOf, WHOLE } from '../support/level-log-builder.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
let directory = ''

beforeEach(async () => {
  directory = await directories.create()
})
afterAll(() => directories.removeAll())

const write = (name: string, content: Buffer | string): Promise<void> =>
  writeFile(join(directory, name), content)

async function logNumbers(): Promise<number[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.log'))
  return names.map((name) => Number.parseInt(name, 10))
}

describe('A manifest', () => {
  test('of LevelDB names its log, also after it has begun others', async () => {
    const level = new ClassicLevel(directory, { writeBufferSize: 64 * 1024 })
    await level.open()
    expect([(await logsInUse(directory))?.firstLog]).toEqual(await logNumbers())
    for (let i = 0; i < 40; i++) await level.put(`key ${i}`, 'v'.repeat(10_000))
    await level.compactRange('a', 'z')
    await level.close()
    const [log] = await logNumbers()
    expect(log).toBeGreaterThan(5)
    expect((await logsInUse(directory))?.firstLog).toBe(log)
  })

  test('is another one at each opening, with a higher number', async () => {
    const sessions: number[] = []
    for (let opening = 0; opening < 4; opening++) {
      const level = new ClassicLevel(directory)
      await level.open()
      sessions.push((await sessionOf(directory)) as number)
      await level.close()
      expect((await logsInUse(directory))?.session).toBe(sessions[opening])
    }
    expect([...new Set(sessions)].sort((one, other) => one - other)).toEqual(sessions)
  })

  test('names the log in its last whole edit', async () => {
    await write('CURRENT', 'MANIFEST-000300\n')
    const manifest = aManifestOf(5, 1000)
    await write('MANIFEST-000300', manifest)
    expect(await logsInUse(directory)).toEqual({ session: 300, firstLog: 1000 })
    await write('MANIFEST-000300', manifest.subarray(0, -1))
    expect(await logsInUse(directory)).toEqual({ session: 300, firstLog: 5 })
  })

  test.each([
    ['there is no CURRENT', undefined, aManifestOf(5)],
    ['CURRENT names none', 'MANIFEST\n', aManifestOf(5)],
    ['it is missing', 'MANIFEST-000002\n', undefined],
    ['it is empty', 'MANIFEST-000002\n', Buffer.alloc(0)],
    ['it lists tables alone', 'MANIFEST-000002\n', aManifestOf()],
    ['its last edit is no edit', 'MANIFEST-000002\n', aLogWith([WHOLE, Buffer.from([2, 0x80])])],
    ['it is damaged', 'MANIFEST-000002\n', aManifestOf(5, 7).fill(1, 10, 11)],
  ])('says nothing where %s', async (_, current, manifest) => {
    if (current !== undefined) await write('CURRENT', current)
    if (manifest !== undefined) await write('MANIFEST-000002', manifest)
    expect(await logsInUse(directory)).toBeUndefined()
  })
})
