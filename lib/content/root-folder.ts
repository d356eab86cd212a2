import { type BTree, type Connection, connectionOf, type Persistent } from '../persistence/index.js'
import { RootFolder } from './container.js'

/** Where the root folder stands in the root mapping. On disk. */
export const ROOT_FOLDER_KEY = 'root'

/** Makes the root folder of a new database. Does nothing when there is one. */
export function installRootFolder(rootMapping: BTree<string, Persistent>): void {
  if (rootMapping.has(ROOT_FOLDER_KEY)) return
  const root = new RootFolder()
  rootMapping.set(ROOT_FOLDER_KEY, root)
  // At once, so that what this transaction puts into it is in the database too.
  connectionOf(rootMapping)?.add(root)
}

/** The root folder as this connection's transaction sees it. @public */
export function rootFolderOf(connection: Connection): RootFolder {
  return connection.rootMapping.get(ROOT_FOLDER_KEY) as RootFolder
}

/** The same; `undefined` when the database has none, being an `ObjectDatabase` without folders. */
export function queryRootFolder(connection: Connection): RootFolder | undefined {
  const root = connection.rootMapping.get(ROOT_FOLDER_KEY)
  return root instanceof RootFolder ? root : undefined
}
