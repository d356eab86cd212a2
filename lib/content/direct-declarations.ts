import {
  type Class,
  DIRECTLY_PROVIDED,
  declaredInterface,
  type Interface,
  mayDeclareDirectly,
  specificationStamp,
} from '../component/index.js'
import {
  isPersistent,
  marksOf,
  Persistent,
  setMarkedClassListener,
  setMarks,
} from '../persistence/index.js'

/**
 * What a persistent object provides beyond its class is part of its state: the names of the
 * interfaces are its marks. So it is committed, aborted, copied and exported with the object, and
 * `alsoProvides` is a write like any other.
 *
 * An interface that this program lacks stays declared; nothing can be asked of it.
 */
Object.defineProperty(Persistent.prototype, DIRECTLY_PROVIDED, {
  get(this: object): readonly Interface[] | undefined {
    // A prototype has no state, and what is made of one by hand has none either.
    const marks = isPersistent(this) ? marksOf(this) : undefined
    return marks && interfacesOf(marks)
  },
  set(this: Persistent, declared: readonly Interface[]) {
    setMarks(
      this,
      declared.map(({ name }) => name),
    )
  },
  configurable: true,
})

setMarkedClassListener((persistentClass) => mayDeclareDirectly(persistentClass as unknown as Class))

/** The same list for the same marks, as long as no interface is defined. */
function interfacesOf(marks: readonly string[]): readonly Interface[] {
  const known = lists.get(marks)
  const stamp = specificationStamp()
  if (known?.stamp === stamp) return known.list
  const list = Object.freeze(marks.map(declaredInterface))
  lists.set(marks, { list, stamp })
  return list
}

const lists = new WeakMap<
  readonly string[],
  { readonly list: readonly Interface[]; readonly stamp: number }
>()
