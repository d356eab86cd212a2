import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from '@jest/globals'
import { BackupDirectory, backupsIn, someBackupsIn } from '../../lib/operations/backup-directory.js'
import type { BackupManifest } from '../../lib/operations/backup-manifest.js'
import { codeThrownBy, TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

const ofKind = (kind: string) => async () =>
  ({ kind, format: 'treehook-backup', version: 1 }) as BackupManifest

test('Backups are numbered in their order, and others’ files are left alone', async () => {
  const path = await directories.create()
  await mkdir(join(path, 'notes'))
  const directory = await BackupDirectory.acquire(path)
  expect(await directory.newest()).toBeUndefined()
  await directory.add(ofKind('full'))
  await directory.add(ofKind('incremental'))
  const names = (await backupsIn(path)).map(({ number, name }) => [number, name])
  expect(names).toEqual([
    [1, '000001-full'],
    [2, '000002-incremental'],
  ])
  expect((await directory.newest())?.manifest.kind).toBe('incremental')
  await directory.release()
  expect((await readdir(path)).sort()).toEqual(['000001-full', '000002-incremental', 'notes'])
})

test('A file, or a place where nothing can be written, is told apart from a directory', async () => {
  const path = await directories.create()
  const file = join(path, 'file')
  await writeFile(file, 'mine')
  for (const place of [file, join(file, 'below')]) {
    expect(await codeThrownBy(() => BackupDirectory.acquire(place))).toBe('STORAGE_NOT_A_DIRECTORY')
    expect(await codeThrownBy(() => backupsIn(place))).toBe('STORAGE_NOT_A_DIRECTORY')
  }
  expect(await codeThrownBy(() => BackupDirectory.acquire('/proc/treehook'))).toBe(
    'STORAGE_NOT_WRITABLE',
  )
})

test('A backup that fails leaves nothing', async () => {
  const directory = await BackupDirectory.acquire(await directories.create())
  const failing = async (): Promise<never> => {
    throw new Error('no more')
  }
  expect(await codeThrownBy(() => directory.add(failing))).toBe('Error: no more')
  await directory.release()
  expect(await readdir(directory.path)).toEqual([])
})

test('A directory is written to by one at a time', async () => {
  const path = await directories.create()
  const directory = await BackupDirectory.acquire(path)
  expect(await codeThrownBy(() => BackupDirectory.acquire(path))).toBe('STORAGE_LOCKED')
  await directory.release()
  await (await BackupDirectory.acquire(path)).release()
})

test('Where none are, none are found', async () => {
  expect(await backupsIn('/nowhere/at/all')).toEqual([])
  expect(await codeThrownBy(() => someBackupsIn('/nowhere/at/all'))).toBe('OPERATIONS_NO_BACKUP')
})
