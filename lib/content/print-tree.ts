import { nameOf } from './location.js'
import { stepAt, type TreeOptions, type TreeStep } from './tree-of.js'

/** @public */
export interface PrintTreeOptions extends TreeOptions {
  /** Add classes, how many items there are, and oids. Default false. */
  readonly details?: boolean
}

/**
 * The tree below an object as text, a line for each, for people and doctests:
 *
 * ```
 * <IRoot>: /
 *     <ISite>: NOAA
 *         employees
 *             Bob => <Employee>
 * ```
 *
 * What has its place elsewhere stands with an arrow to it, as `Bob -> /NOAA/Bob`.
 * @see `nti.site.testing.format_tree`
 * @public
 */
export function formatTree(object: object, options: PrintTreeOptions = {}): string {
  return [...treeLines(object, options)].join('\n')
}

/** Prints {@link formatTree} on standard output. @public */
export function printTree(object: object, options: PrintTreeOptions = {}): void {
  console.log(formatTree(object, options))
}

/** The lines one by one: a tree of any size in little memory. @public */
export function treeLines(object: object, options: PrintTreeOptions = {}): Generator<string> {
  return linesFrom(stepAt(object, nameOf(object), options), options, 0)
}

function* linesFrom(
  { node, below }: TreeStep,
  options: PrintTreeOptions,
  level: number,
): Generator<string> {
  yield INDENT.repeat(level) + label(node) + (options.details === true ? details(node) : '')
  if (level >= (options.depth ?? Number.POSITIVE_INFINITY)) return
  for (const one of below()) yield* linesFrom(one, options, level + 1)
  const left = node.placeIs === undefined ? (node.size ?? 0) - (options.items ?? Infinity) : 0
  if (left > 0) yield `${INDENT.repeat(level + 1)}… and ${left} more`
}

const INDENT = '    '

type Node = TreeStep['node']

function label({
  name = '(no name)',
  isRoot,
  isSite,
  isBroken,
  size,
  placeIs,
  ...node
}: Node): string {
  if (isRoot) return isSite ? '<ISite,IRoot>: /' : '<IRoot>: /'
  const prefix = isSite ? '<ISite>: ' : ''
  const shown = prefix + printable(name)
  if (placeIs !== undefined) return `${shown} -> ${placeIs}`
  const isPlace = size !== undefined || isSite
  if (isPlace && !isBroken) return shown
  return `${shown} => <${isBroken ? 'broken ' : ''}${short(node.class)}>`
}

function details({ class: itsClass, size, oid }: Node): string {
  const parts = [itsClass, size === undefined ? undefined : counted(size), oid]
  return ` (${parts.filter((part) => part !== undefined).join(', ')})`
}

function counted(size: number): string {
  return size === 1 ? '1 item' : `${size} items`
}

function short(itsClass: string): string {
  return itsClass.replace(/^.*\./, '')
}

/** One line for each object, whatever its name. */
function printable(name: string): string {
  return /[\p{Cc}\p{Zl}\p{Zp}]/u.test(name) ? JSON.stringify(name) : name
}
