import { afterEach, describe, expect, test } from '@jest/globals'
import {
  annotationTreeOf,
  keepsAnnotations,
  setAnnotationTree,
} from '../../lib/content/annotatable.js'
import {
  annotatable,
  annotationsOf,
  Contained,
  Container,
  Folder,
  IAnnotatable,
  IAttributeAnnotatable,
  RootFolder,
  Site,
  SiteManager,
} from '../../lib/content/index.js'
import { BTree, definePersistent, stored } from '../../lib/persistence/index.js'
import { closeDatabases, codeOfThrown, inTransaction } from '../support/content-builders.js'

afterEach(closeDatabases)

describe('An annotatable class', () => {
  test('provides IAttributeAnnotatable', () => {
    @annotatable
    class Product extends Contained {}
    class Tea extends Product {}
    expect(IAttributeAnnotatable.providedBy(new Product())).toBe(true)
    expect(IAnnotatable.providedBy(new Tea())).toBe(true)
    expect(IAnnotatable.providedBy(new Contained())).toBe(false)
  })

  test('is every container, folder and site', () => {
    for (const someClass of [Container, Folder, RootFolder, Site, SiteManager]) {
      expect(IAttributeAnnotatable.implementedBy(someClass)).toBe(true)
    }
  })

  test('may extend one, and be declared again', async () => {
    @annotatable
    @stored('annotatable-spec.Shelf')
    class Shelf extends Folder {}
    await inTransaction((root) => {
      const shelf = root.set('shelf', new Shelf())
      annotationsOf(shelf).set('spec.height', 3)
      expect(annotationTreeOf(shelf)?.size).toBe(1)
    })
  })

  test('may be one of plain JavaScript', async () => {
    class Legacy extends Contained {}
    definePersistent(Legacy, { name: 'annotatable-spec.Legacy', fields: { title: '' } })
    annotatable(Legacy)
    await inTransaction((root) => {
      const legacy = root.set('legacy', new Legacy())
      annotationsOf(legacy).set('spec.note', 'old')
      expect(annotationsOf(legacy).get('spec.note')).toBe('old')
    })
  })

  test('keeps the tree of its annotations in a field', () => {
    const [folder, tree] = [new Folder(), new BTree<string, unknown>()]
    expect([keepsAnnotations(folder), keepsAnnotations(new Contained())]).toEqual([true, false])
    expect(annotationTreeOf(folder)).toBeUndefined()
    setAnnotationTree(folder, tree)
    expect(annotationTreeOf(folder)).toBe(tree)
  })

  test('is declared before its first object is made', () => {
    class Early extends Contained {}
    new Early()
    expect(codeOfThrown(() => annotatable(Early))).toBe('PERSISTENCE_INVALID_CLASS')
  })
})
