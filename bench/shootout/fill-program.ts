import { textsOf } from './payload.js'
import type { Task } from './task.js'
import { LATER_COMMITS, LATER_ITEMS } from './treehook-open.js'
import { itemsOf, TreehookStore } from './treehook-store.js'

/** Fills the database in a directory, says so, and waits to be killed. */
process.on('disconnect', () => process.exit()) // nobody is left who would kill it
const [location = '', objects = '', seed = '', then = ''] = process.argv.slice(2)
const task = { durability: 'sync', isHistoryKept: false } as Task
const count = Number(objects)
const store = await TreehookStore.open(location, task)
await store.fill(textsOf(Number(seed)), count)
if (then === 'reopen') {
  await store.reopen()
  for (let commit = 0; commit < LATER_COMMITS; commit++) {
    await store.database.transaction(({ rootMapping }) => {
      const items = itemsOf(rootMapping)
      for (let at = Math.max(0, count - LATER_ITEMS); at < count; at++) {
        const item = items.get(at)
        if (item !== undefined) item.count++
      }
    })
  }
}
process.send?.('filled')
