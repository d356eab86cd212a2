import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  createOwnerFile,
  livenessOf,
  newOwner,
  OWNER_FILE,
  readOwner,
  removeOwnerFile,
  replaceOwnerFile,
} from '../../lib/storage/owner-file.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
let directory = ''

beforeEach(async () => {
  directory = await directories.create()
})
afterEach(() => directories.removeAll())

describe('An owner file', () => {
  test('is created where there is none, and only there', async () => {
    const [first, second] = [await newOwner(), await newOwner()]
    expect(await readOwner(directory)).toBeUndefined()
    expect(createOwnerFile(directory, first)).toBe(true)
    expect(createOwnerFile(directory, second)).toBe(false)
    expect(await readOwner(directory)).toEqual(first)
  })

  test('is removed by its token only, and nothing stays behind', async () => {
    const [first, second] = [await newOwner(), await newOwner()]
    createOwnerFile(directory, first)
    await removeOwnerFile(directory, second.token)
    expect(await readOwner(directory)).toEqual(first)
    await removeOwnerFile(directory, first.token)
    await removeOwnerFile(directory, first.token)
    expect(await readdir(directory)).toEqual([])
  })

  test('is replaced whoever owned it', async () => {
    const [first, second] = [await newOwner(), await newOwner()]
    createOwnerFile(directory, first)
    await replaceOwnerFile(directory, second)
    expect(await readOwner(directory)).toEqual(second)
    expect(await readdir(directory)).toEqual([OWNER_FILE])
  })
})

describe('An owner', () => {
  test('is alive while its process runs, and dead when it has ended', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    await once(child, 'spawn')
    const owner = { ...(await newOwner()), pid: child.pid!, processStart: '' }
    expect(await livenessOf(owner)).toBe('unknown')
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await livenessOf(owner)).toBe('dead')
  })

  test('of this process is alive', async () => {
    expect(await livenessOf(await newOwner())).toBe('alive')
  })

  test('of another host is unknown', async () => {
    expect(await livenessOf({ ...(await newOwner()), host: 'elsewhere' })).toBe('unknown')
  })
})
