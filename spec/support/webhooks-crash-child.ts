/**
 * The other process of the crash scenario: `webhooks-crash-child.ts <directory> <url>`. It commits a
 * change that a subscription to `url` hears of. Its transport kills the process in place of sending.
 */
import { Database, subscribeToResource, type Transport, traverse } from '../../lib/index.js'
import { Employee, makeOffice, OUN, promoteIn } from './webhooks-builders.js'

const [location, to] = process.argv.slice(2) as [string, string]

const deadly: Transport = {
  send() {
    process.kill(process.pid, 'SIGKILL')
    return new Promise(() => {})
  },
  async close() {},
}

const db = await Database.open(location, {
  webhooks: { dispatch: 'recommended', transport: deadly },
})
await db.transaction(({ root }) => {
  makeOffice(root)
  subscribeToResource(traverse(root, OUN), { to, for: Employee })
})
await db.transaction(({ root }) => promoteIn(root, 'Senior'))
await new Promise((resolve) => setTimeout(resolve, 10_000))
console.log('alive after the commit')
