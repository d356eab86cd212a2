/**
 * Rises with every change of one sort that this layer makes, whatever database it is in. An object that
 * a transaction has changed already tells its connection nothing of its next change; this does.
 */
class Changes {
  stamp = 0

  raise(): void {
    this.stamp++
  }
}

/** Rows of grants, of objects and of whole databases. */
export const grantChanges = new Changes()

/** The groups of persistent principals. */
export const principalChanges = new Changes()
