import { textsOf } from './payload.js'
import type { Task } from './task.js'
import { TreehookStore } from './treehook-store.js'

/** Fills the database in a directory, says so, and waits to be killed. */
process.on('disconnect', () => process.exit()) // nobody is left who would kill it
const [location = '', objects = '', seed = ''] = process.argv.slice(2)
const task = { durability: 'sync', isHistoryKept: false } as Task
const store = await TreehookStore.open(location, task)
await store.fill(textsOf(Number(seed)), Number(objects))
process.send?.('filled')
