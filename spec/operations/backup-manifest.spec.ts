import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from '@jest/globals'
import {
  BACKUP_FORMAT,
  BACKUP_VERSION,
  type BackupManifest,
  MANIFEST_FILE,
  readManifest,
  writeManifest,
} from '../../lib/operations/backup-manifest.js'
import { toTid } from '../../lib/storage/index.js'
import { codeThrownBy, EMPLOYEE, TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

const MANIFEST: BackupManifest = {
  format: BACKUP_FORMAT,
  version: BACKUP_VERSION,
  databaseId: 'an id',
  number: 1,
  kind: 'full',
  tid: toTid(4),
  timeMs: 1234.5,
  highestOid: 9,
  classes: [EMPLOYEE],
  history: false,
  base: { tid: toTid(4), timeMs: null, classes: 1 },
  files: [],
}

test('A manifest is read as it was written', async () => {
  const directory = await directories.create()
  await writeManifest(directory, MANIFEST)
  const { manifest, sha256 } = await readManifest(directory)
  expect(manifest).toEqual(MANIFEST)
  expect(await readFile(join(directory, MANIFEST_FILE), 'utf8')).toContain(sha256)
})

test('A manifest that is missing, damaged or newer is refused', async () => {
  const directory = await directories.create()
  const refused = () => codeThrownBy(() => readManifest(directory))
  expect(await refused()).toBe('OPERATIONS_DAMAGED_BACKUP')
  await writeManifest(directory, { ...MANIFEST, version: 2 })
  expect(await refused()).toBe('STORAGE_UNKNOWN_FORMAT')
  for (const text of ['', '{}', '{}\n', 'x\ny\n']) {
    await writeFile(join(directory, MANIFEST_FILE), text)
    expect(await refused()).toBe('OPERATIONS_DAMAGED_BACKUP')
  }
})
