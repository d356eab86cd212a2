import { type ComponentRegistry, registryScope } from './component/index.js'
import {
  assertReadable,
  databaseRegistry,
  type EvolveOptions,
  evolveSchemas,
  installRootFolder,
  type RootFolder,
  raisePlaceStamp,
  recordNewSchemas,
  rootFolderOf,
  type SchemaManager,
} from './content/index.js'
import {
  aFunction,
  anIterable,
  anything,
  checkOptions,
  type OptionRules,
} from './foundation/index.js'
import {
  ConnectionContext,
  type Instant,
  InvalidDatabaseOptionError,
  ObjectDatabase,
  type ObjectDatabaseOptions,
  objectDatabaseOptionRules,
  type PackOptions,
  type PackReport,
  type TransactionContext,
  type TransactionOptions,
} from './persistence/index.js'
import { configureSecurity, type Security } from './security/index.js'
import { type Storage, type Tid, toOid } from './storage/index.js'
import {
  aDispatchSet,
  configureWebhooks,
  DeliveryManager,
  type DeliveryOptions,
  type DispatchSet,
  deliveryOptionRules,
  InvalidSettingError,
  IWebhookDeliveryManager,
  installOutbox,
  OUTBOX_KEY,
  outboxOf,
} from './webhooks/index.js'

/** @public */
export interface DatabaseOptions extends ObjectDatabaseOptions {
  /**
   * Registers dialects, adapters and handlers before the deliveries that were pending are taken up:
   * registered later, they may miss some of them.
   */
  readonly configure?: (registry: ComponentRegistry) => void
  /**
   * Which form stored data has; data that is older is brought to it, in this order, before the database
   * opens and before a delivery is taken up. See {@link evolveSchemas}.
   */
  readonly schemas?: readonly SchemaManager[]
  /** How far, and who is told. */
  readonly evolve?: EvolveOptions
  readonly webhooks?: DeliveryOptions & {
    /** Which events become webhooks. Default `none`: nothing is ever sent. */
    readonly dispatch?: DispatchSet
  }
}

const OPTION_RULES: OptionRules<DatabaseOptions> = {
  ...objectDatabaseOptionRules,
  configure: aFunction,
  schemas: anIterable,
  evolve: anything, // by `evolveSchemas`
  webhooks: anything, // below
}

const WEBHOOK_OPTION_RULES: OptionRules<NonNullable<DatabaseOptions['webhooks']>> = {
  ...deliveryOptionRules,
  dispatch: aDispatchSet,
}

/** What the function given to `transaction` or `view` works with. @public */
export interface DatabaseContext extends TransactionContext {
  /** The folder at `/`. */
  readonly root: RootFolder
}

/**
 * The whole house, opened at once: objects in a tree of folders and sites, and webhooks that belong
 * to their transactions.
 *
 * ```ts
 * await using db = await Database.open('./data', { webhooks: { dispatch: 'recommended' } })
 * await db.transaction(({ root }) => { root.set('employees', new Folder()) })
 * ```
 * @public
 */
export class Database extends ObjectDatabase {
  /** Components of this database, in memory: those of its sites are asked first. */
  readonly registry: ComponentRegistry
  /** Grants for the whole database, and principals that the program defines; in memory. */
  readonly security: Security
  /** Sends what commits have recorded. */
  readonly webhooks: DeliveryManager
  readonly #schemas: readonly SchemaManager[]
  readonly #evolve: EvolveOptions | undefined

  /**
   * Opens the database in a directory, which is created when missing, and takes up the deliveries
   * that were pending when it was last open.
   * @throws PERSISTENCE_INVALID_OPTION, STORAGE_INVALID_OPTION, STORAGE_LOCKED, STORAGE_NOT_A_DIRECTORY, STORAGE_NOT_WRITABLE, STORAGE_UNKNOWN_FORMAT,
   *   STORAGE_CORRUPT, WEBHOOK_INVALID_SETTING; with schemas CONTENT_GENERATION_TOO_HIGH,
   *   CONTENT_GENERATION_TOO_LOW, CONTENT_UNABLE_TO_EVOLVE, CONTENT_INVALID_SCHEMA.
   */
  static override async open(location: string, options: DatabaseOptions = {}): Promise<Database> {
    checkOptions(options, OPTION_RULES, InvalidDatabaseOptionError)
    checkOptions(options.webhooks ?? {}, WEBHOOK_OPTION_RULES, InvalidSettingError)
    const storage = await ObjectDatabase.openStorage(location, options)
    let database: Database | undefined
    try {
      database = new Database(storage, options)
      await database.initialize()
      return database
    } catch (error) {
      await (database ?? storage).close()
      throw error
    }
  }

  protected constructor(storage: Storage, options: DatabaseOptions) {
    super(storage, options)
    this.#schemas = options.schemas ?? []
    this.#evolve = options.evolve
    const { dispatch = 'none', ...delivery } = options.webhooks ?? {}
    this.registry = databaseRegistry(this)
    this.security = configureSecurity(this.registry)
    this.webhooks = new DeliveryManager(this, delivery)
    configureWebhooks(this.registry, { dispatch })
    this.registry.registerUtility(this.webhooks, { provides: IWebhookDeliveryManager })
    options.configure?.(this.registry)
  }

  protected override async initialize(): Promise<void> {
    await super.initialize()
    if (this.isReadOnly) {
      await assertReadable(this, this.#schemas)
      return
    }
    await super.transaction(
      ({ rootMapping }) => {
        if (rootMapping.size === 0) recordNewSchemas(rootMapping, this.#schemas)
        installRootFolder(rootMapping)
        installOutbox(rootMapping)
      },
      { note: 'root folder and outbox' },
    )
    await evolveSchemas(this, this.#schemas, this.#evolve)
    await this.webhooks.start()
  }

  override transaction<T>(
    fn: (context: DatabaseContext) => T | PromiseLike<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    return registryScope.run(this.registry, () =>
      super.transaction(
        (context) => fn(new RootContext(context.connection, context.transaction)),
        options,
      ),
    )
  }

  override view<T>(fn: (context: DatabaseContext) => T | PromiseLike<T>): Promise<T> {
    return registryScope.run(this.registry, () =>
      super.view((context) => fn(new RootContext(context.connection, context.transaction))),
    )
  }

  override at<T>(when: Instant, fn: (context: DatabaseContext) => T | PromiseLike<T>): Promise<T> {
    return registryScope.run(this.registry, () =>
      super.at(when, (context) => fn(new RootContext(context.connection, context.transaction))),
    )
  }

  /**
   * As `ObjectDatabase.pack`. What is still to be sent stays, whatever became of its subscription: the
   * outbox names it without a reference.
   */
  override async pack(options: PackOptions = {}): Promise<PackReport> {
    const pending = await super.view(({ rootMapping, connection }) =>
      rootMapping.has(OUTBOX_KEY) ? [...outboxOf(connection).keys()] : [],
    )
    return await super.pack({ ...options, keep: [...pending.map(toOid), ...(options.keep ?? [])] })
  }

  override async undoIn(context: TransactionContext, tids: Tid | readonly Tid[]): Promise<void> {
    await super.undoIn(context, tids)
    // Folders and sites may stand elsewhere again, in this transaction now and in others after it.
    raisePlaceStamp()
    context.transaction.addAfterCommitHook(raisePlaceStamp)
  }

  /** Ends requests under way, which are made again at the next opening, and closes. Idempotent. */
  override async close(): Promise<void> {
    await this.webhooks.close()
    await super.close()
  }
}

class RootContext extends ConnectionContext implements DatabaseContext {
  get root(): RootFolder {
    return rootFolderOf(this.connection)
  }
}
