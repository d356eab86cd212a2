// First process: builds the tree, subscribes, aborts a transaction, commits another, and is killed
// between the commit and the request. Started by main.ts.

import { once } from 'node:events'
import {
  Database,
  Folder,
  IObjectModifiedEvent,
  modified,
  pathOf,
  printTree,
  Site,
  subscribeToResource,
  type Transport,
  traverse,
} from 'treehook'
import { BOB, Employee } from './employee.js'

const [directory = '', receiver = ''] = process.argv.slice(2)

/** Dies at the moment at which a request would leave: nothing runs after it, not even `finally`. */
const deadlyTransport: Transport = {
  async send() {
    process.kill(process.pid, 'SIGKILL')
    return await new Promise(() => {})
  },
  async close() {},
}

/** Tells main.ts what happened, and waits until it has looked. */
async function report(step: string): Promise<void> {
  const seen = once(process, 'message')
  process.send?.(step)
  await seen
}

const db = await Database.open(directory, {
  webhooks: { dispatch: 'recommended', transport: deadlyTransport },
})

await db.transaction(({ root }) => {
  const noaa = root.set('NOAA', new Site())
  const nws = noaa.set('NWS', new Site())
  const oun = nws.set('OUN', new Site())
  for (const site of [noaa, nws, oun]) {
    site.set('employees', new Folder()).set('Bob', new Employee())
  }
  for (const site of [oun, nws, noaa]) {
    const subscription = subscribeToResource(site, {
      to: `${receiver}${site.__name__?.toLowerCase()}`,
      for: Employee,
      when: IObjectModifiedEvent,
    })
    console.log(`subscribed: ${pathOf(subscription)}`)
  }
  printTree(root)
})

await db
  .transaction(({ root }) => {
    const bob = traverse(root, BOB, Employee)
    bob.title = 'Nobody will ever read this'
    modified(bob)
    throw new Error('second thoughts')
  })
  .catch((error: Error) => console.log(`aborted: ${error.message}`))
await db.webhooks.waitForPendingDeliveries()
await report('aborted')

await db.transaction(
  ({ root }) => {
    const bob = traverse(root, BOB, Employee)
    bob.title = 'Meteorologist in Charge'
    bob.phones.push('+1 405 555 0100')
    modified(bob)
  },
  { note: 'Bob is promoted' },
)
console.log('committed')
await new Promise(() => setInterval(() => {}, 1000))
