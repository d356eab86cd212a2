import type { Oid } from '../storage/index.js'

const PAGE_SIZE = 4096
const NONE = -1

/**
 * For each object one that leads to it, in 8 bytes. Where several do, one whose tree has the object:
 * a folder rather than a neighbour.
 */
export class Parents {
  readonly #pages = new Map<number, { readonly oids: Float64Array; readonly inTree: Uint8Array }>()

  /** @param inTree - whether the parent is a tree, or the node of one. */
  note(child: Oid, parent: Oid, inTree: boolean): void {
    const page = this.#page(Math.floor(child / PAGE_SIZE))
    const at = child % PAGE_SIZE
    if (page.oids[at] !== NONE && (page.inTree[at] === 1 || !inTree)) return
    page.oids[at] = parent
    page.inTree[at] = inTree ? 1 : 0
  }

  get(child: Oid): Oid | undefined {
    const oid = this.#pages.get(Math.floor(child / PAGE_SIZE))?.oids[child % PAGE_SIZE] ?? NONE
    return oid === NONE ? undefined : (oid as Oid)
  }

  #page(number: number) {
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = {
        oids: new Float64Array(PAGE_SIZE).fill(NONE),
        inTree: new Uint8Array(PAGE_SIZE),
      }
      this.#pages.set(number, page)
    }
    return page
  }
}
