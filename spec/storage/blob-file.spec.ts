import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { explained, FileDraft, openFile } from '../../lib/storage/blob-file.js'
import { codeThrownBy, TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
let directory = ''

beforeEach(async () => {
  directory = await directories.create()
})
afterEach(() => directories.removeAll())

const inDirectory = (contentId: string): string => join(directory, contentId)

describe('A draft in a file', () => {
  test('has the name of its content id, and none once it is discarded', async () => {
    const draft = await FileDraft.create(inDirectory)
    await draft.write(Buffer.from('hello'))
    expect(await readdir(directory)).toEqual([draft.contentId])
    await draft.discard()
    expect(await readdir(directory)).toEqual([])
  })

  test('that was moved stays when it is discarded', async () => {
    const draft = await FileDraft.create(inDirectory)
    await draft.finish()
    const path = join(directory, 'elsewhere')
    await writeFile(path, 'hello')
    draft.movedTo(path)
    expect(draft.open()?.size).toBe(5)
    await draft.discard()
    expect(await readdir(directory)).toContain('elsewhere')
  })

  test('a source is not closed under a reader', async () => {
    const path = join(directory, 'hello')
    await writeFile(path, 'hello')
    const source = openFile(path)!
    const reading = source.read(0, 5)
    source.close()
    expect(Buffer.from(await reading).toString()).toBe('hello')
  })

  test('a file that is not there opens as nothing', () => {
    expect(openFile(join(directory, 'nothing'))).toBeUndefined()
  })

  test('a full disk is said in our words', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    expect(await codeThrownBy(() => explained('x', () => Promise.reject(full)))).toBe(
      'STORAGE_FULL',
    )
    const other = new Error('other')
    await expect(explained('x', () => Promise.reject(other))).rejects.toBe(other)
  })
})
