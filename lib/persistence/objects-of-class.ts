import type { Oid } from '../storage/index.js'
import type { PersistentClass } from './class-layout.js'
import { storedNameOf } from './class-registry.js'
import type { ObjectDatabase } from './object-database.js'
import { TimeSlice } from './time-slice.js'

/**
 * The oids of all objects of one class, not of its subclasses, as the newest commit left them, by
 * rising oid; also of those that nothing leads to any more. Reads every record of the database, and
 * decodes none. Gives way to other work.
 *
 * @throws STORAGE_CLOSED when the database closes meanwhile; the signal's reason.
 * @internal
 */
export async function* oidsOfClass(
  { storage }: ObjectDatabase,
  persistentClass: PersistentClass,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Oid, void, undefined> {
  const storedName = storedNameOf(persistentClass)
  const rows = storage.classes.filter(({ name }) => name === storedName)
  if (rows.length === 0) return
  const classIds = new Set(rows.map(({ classId }) => classId))
  const slice = new TimeSlice({ signal })
  const snapshot = storage.snapshot()
  try {
    for await (const page of snapshot.recordPages({ signal })) {
      for (const { oid, classId } of page) {
        if (classIds.has(classId)) yield oid
        if (slice.isOver) await slice.turn()
      }
    }
  } finally {
    snapshot.close()
  }
}
