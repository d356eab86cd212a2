import { describe, expect, test } from '@jest/globals'
import { blobContentOf, isNamed } from '../../lib/persistence/blob-content.js'
import type { Blob, ObjectDatabase } from '../../lib/persistence/index.js'
import { type Oid, ROOT_OID, type StorageRecord } from '../../lib/storage/index.js'
import { aPhotoIn, photoOf } from '../support/blob-builders.js'
import { aDatabase } from '../support/persistence-builders.js'
import { codeThrownBy } from '../support/storage-builders.js'
import { WrappedStorage } from '../support/wrapped-storage.js'

async function aDatabaseWithPhoto(): Promise<{ db: ObjectDatabase; oid: Oid }> {
  const db = await aDatabase()
  await db.transaction((context) => aPhotoIn(context).write(['hello']))
  return { db, oid: db.storage.highestOid as Oid }
}

function recordOf(
  db: ObjectDatabase,
  oid: Oid,
): { record: StorageRecord; fields: readonly string[] } {
  const snapshot = db.storage.snapshot()
  const record = snapshot.load(oid) as StorageRecord
  snapshot.close()
  return { record, fields: db.storage.classes[record.classId - 1]!.fields }
}

describe('The content that a record names', () => {
  test('is read without the class', async () => {
    const { db, oid } = await aDatabaseWithPhoto()
    const { record, fields } = recordOf(db, oid)
    const content = blobContentOf(record, { fields })
    expect(content).toMatchObject({ size: 5, oid })
    const name = { oid, contentId: content!.id }
    expect(isNamed(db.storage, name)).toBe(true)
    expect(isNamed(db.storage, { ...name, contentId: '00'.repeat(16) })).toBe(false)
    expect(isNamed(db.storage, { ...name, oid: ROOT_OID })).toBe(false)
    await db.close()
  })

  test('is none in records of other classes, and of empty blobs', async () => {
    const { db, oid } = await aDatabaseWithPhoto()
    const root = recordOf(db, ROOT_OID)
    expect(blobContentOf(root.record, root)).toBeUndefined()
    await db.transaction(({ rootMapping }) => {
      rootMapping.delete('photo')
      aPhotoIn({ rootMapping })
    })
    const empty = recordOf(db, db.storage.highestOid as Oid)
    expect(blobContentOf(empty.record, empty)).toBeUndefined()
    expect((await db.view((context) => photoOf(context).size)) satisfies Blob['size']).toBe(0)
    expect(oid).toBeLessThan(db.storage.highestOid)
    await db.close()
  })

  test('counts as named when nobody can tell', async () => {
    const { db, oid } = await aDatabaseWithPhoto()
    const { record } = recordOf(db, oid)
    const spoilt = new WrappedStorage(db.storage)
    spoilt.loadRevision = () => ({ ...record, state: Buffer.from([0xc1]) })
    expect(isNamed(spoilt, { oid, contentId: '00'.repeat(16) })).toBe(true)
    await db.close()
    expect(await codeThrownBy(() => isNamed(db.storage, { oid, contentId: '' }))).toBe(
      'STORAGE_CLOSED',
    )
  })

  test('is refused when it cannot be one', async () => {
    const record = { oid: 5 as Oid, tid: 1, classId: 1, state: Buffer.from([0x91, 0x05]) }
    expect(await codeThrownBy(() => blobContentOf(record as never, { fields: ['__blob__'] }))).toBe(
      'STORAGE_CORRUPT_RECORD',
    )
  })
})
