// Second process: opens the database that the first left behind, and sends what it finds pending.
// Started by main.ts.

import { readFileSync } from 'node:fs'
import { Database } from 'treehook'
import './employee.js'

const [directory = '', certificate = ''] = process.argv.slice(2)

const db = await Database.open(directory, {
  webhooks: {
    dispatch: 'recommended',
    destinations: { allow: ['127.0.0.1'] },
    ca: [readFileSync(certificate, 'utf8')],
  },
})
console.log(`pending: ${db.webhooks.pending}`)
await db.webhooks.waitForPendingDeliveries()
console.log(`pending: ${db.webhooks.pending}`)
await db.close()
