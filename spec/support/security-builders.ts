import { Contained, Folder, type RootFolder } from '../../lib/content/index.js'
import { stored } from '../../lib/persistence/index.js'
import {
  configureSecurity,
  IPermission,
  IRole,
  Permission,
  PrincipalInfo,
  Role,
  runInInteraction,
  type Security,
} from '../../lib/security/index.js'
import { aDatabase, type TreeDatabase } from './content-builders.js'

/** What the folders of these specs hold: keeps no annotations, so no grants. */
@stored('security-spec.Paper')
export class Paper extends Contained {}

export const READ = 'spec.Read'
export const WRITE = 'spec.Write'
export const READER = 'spec.Reader'
export const WRITER = 'spec.Writer'

export const bob = new PrincipalInfo('bob')

export interface SecureDatabase extends Security {
  readonly db: TreeDatabase
}

/** `/office/desk/paper`, two permissions and two roles. */
export async function anOffice(
  fill: (root: RootFolder) => void = () => {},
): Promise<SecureDatabase> {
  const db = await aDatabase()
  const security = secure(db)
  await db.transaction(({ root }) => {
    root.set('office', new Folder()).set('desk', new Folder()).set('paper', new Paper())
    fill(root)
  })
  return { db, ...security }
}

/** Registers what these specs use. */
export function secure({ registry }: TreeDatabase): Security {
  const security = configureSecurity(registry)
  for (const name of [READ, WRITE]) {
    registry.registerUtility(new Permission(name), { provides: IPermission, name })
  }
  for (const name of [READER, WRITER]) {
    registry.registerUtility(new Role(name), { provides: IRole, name })
  }
  return security
}

/** `/office`, `/office/desk` and `/office/desk/paper`. */
export function placesIn(root: RootFolder) {
  const office = root.getItem('office') as Folder
  const desk = office.getItem('desk') as Folder
  return { office, desk, paper: desk.getItem('paper') as Paper }
}

export type Places = ReturnType<typeof placesIn>

/** Calls `fn` in a transaction, as bob. */
export function asBob<T>(
  { db }: SecureDatabase,
  fn: (places: Places & { readonly root: RootFolder }) => T,
): Promise<T> {
  return db.transaction(({ root }) => runInInteraction(bob, () => fn({ root, ...placesIn(root) })))
}
