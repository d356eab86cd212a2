import { access, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { readWhole } from '../../lib/storage/blob-reading.js'
import { looseDrafts } from '../../lib/storage/loose-drafts.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()

afterEach(() => directories.removeAll())

describe('A draft that no database knows', () => {
  test('is written and read as others are', async () => {
    const draft = await looseDrafts.create()
    await draft.write(Buffer.from('hello'))
    await draft.finish()
    expect(Buffer.from(await readWhole(draft.open()!)).toString()).toBe('hello')
    await draft.discard()
    expect(draft.open()).toBeUndefined()
  })

  test('may be a file that is taken over', async () => {
    const path = join(await directories.create(), 'hello')
    await writeFile(path, 'hello')
    const draft = await looseDrafts.take(path)
    expect(draft.open()?.size).toBe(5)
    await expect(access(path)).rejects.toMatchObject({ code: 'ENOENT' })
    await draft.discard()
  })
})
