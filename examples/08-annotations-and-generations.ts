// 08 Annotations and generations: data that a class knows nothing of, and data that must change its form.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  annotatable,
  annotationFactory,
  annotationsOf,
  Contained,
  codeOf,
  Database,
  evolveObjects,
  Folder,
  field,
  findObjects,
  pathOf,
  planSchemas,
  type SchemaManager,
  stored,
  traverse,
} from 'treehook'

@annotatable
@stored('shop.Product')
class Product extends Contained {
  @field accessor price = 0
}

// Another package keeps ratings of products. The class Product has never heard of it.
@stored('ratings.Rating')
class Rating extends Contained {
  @field accessor stars: number[] = []
}
const ratingOf = annotationFactory(Rating)

const directory = await mkdtemp(join(tmpdir(), 'treehook-'))
const first: SchemaManager = {
  name: 'shop',
  generation: 1,
  install: ({ root }) => {
    root.set('products', new Folder())
  },
}
{
  await using db = await Database.open(directory, { schemas: [first] })
  await db.transaction(({ root }) => {
    const products = traverse(root, '/products', Folder)
    for (const [name, price] of Object.entries({ coffee: 4, tea: 3, water: 1 })) {
      products.set(name, new Product()).price = price
    }
    annotationsOf(traverse(root, '/products/tea')).set('labels.colour', 'green')
  })

  await db.view(({ root }) => {
    const tea = traverse(root, '/products/tea')
    console.log(annotationsOf(tea).get('labels.colour'), annotationsOf(tea).has('labels.size'))
    //=> green false
    // Reading makes an empty rating, and stores nothing.
    console.log(ratingOf(tea).stars.length, annotationsOf(tea).size)
    //=> 0 1
  })
  await db.transaction(({ root }) => {
    ratingOf(traverse(root, '/products/tea')).stars.push(5, 4)
  })
  await db.view(async ({ root }) => {
    for await (const rating of findObjects(root, { providing: Rating })) {
      console.log(pathOf(rating), rating.stars.join(' and '))
    }
    //=> /products/tea/++annotation++ratings.Rating 5 and 4
  })
}

// The next version of the program has prices in cents. A step brings the data there, once.
const second: SchemaManager = {
  ...first,
  generation: 2,
  minimumGeneration: 2,
  steps: {
    2: evolveObjects({
      about: 'prices in cents',
      providing: Product,
      change: (product) => {
        product.price *= 100
      },
    }),
  },
}
{
  await using db = await Database.open(directory, { readOnly: true })
  for (const { name, generation, target, steps } of await planSchemas(db, [second])) {
    console.log(`${name}: ${generation} to ${target}, ${steps.map(({ about }) => about)}`)
    //=> shop: 1 to 2, prices in cents
  }
}
for (const opening of ['first', 'second']) {
  await using db = await Database.open(directory, { schemas: [second] })
  console.log(`${opening} opening:`, await db.view(({ root }) => pricesIn(root)))
  //=> first opening: [ 400, 300, 100 ]
  //=> second opening: [ 400, 300, 100 ]
}

// The old program would read cents as dollars. It is not let in.
try {
  await Database.open(directory, { schemas: [first] })
} catch (error) {
  console.log(codeOf(error))
  //=> CONTENT_GENERATION_TOO_HIGH
}

await rm(directory, { recursive: true })

function pricesIn(root: Folder): number[] {
  return Array.from(traverse(root, '/products', Folder).values(), (it) => (it as Product).price)
}
