import { codeOf } from '../foundation/index.js'
import { treeSize } from './btree/tree-access.js'
import { describeObject } from './describe.js'
import { INSPECT, type Inspect, type InspectOptions } from './inspecting.js'
import { Persistent, slotsOf } from './persistent.js'
import { plain } from './stored-value.js'

/**
 * What `console.log` shows of a persistent object: its class, path and oid, the stored fields as its
 * transaction sees them, and the size of its tree. Of objects inside of others the first line only:
 * printing one object loads no other. What cannot be read now says why not.
 */
function inspectObject(
  this: Persistent,
  depth: number | null,
  options: InspectOptions,
  inspect: Inspect,
): string {
  const name = describeObject(this)
  const isInside = depth !== null && depth < (options.depth ?? depth)
  if (isInside || depth === -1) return `[${name}]`
  try {
    return `${name} ${inspect(shownOf(this), { ...options, depth })}`
  } catch (error) {
    return `${name} { ${codeOf(error) ?? String(error)} }`
  }
}

function shownOf(object: Persistent): object {
  const { treeIndex, names } = slotsOf(object).layout
  const shown: Record<string, unknown> = { ...object }
  if (treeIndex !== -1) shown.size = treeSize(object)
  names.forEach((name, index) => {
    if (index === treeIndex) return
    const value = (object as unknown as Record<string, unknown>)[name]
    shown[name] = typeof value === 'object' && value !== null ? plain(value) : value
  })
  return shown
}

Object.defineProperty(Persistent.prototype, INSPECT, { value: inspectObject })
