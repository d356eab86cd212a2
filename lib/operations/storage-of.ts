import { ObjectDatabase } from '../persistence/index.js'
import type { Storage } from '../storage/index.js'

/** What keeps the records of a database. */
export function storageOf(database: ObjectDatabase | Storage): Storage {
  return database instanceof ObjectDatabase ? database.storage : database
}
