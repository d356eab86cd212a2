/**
 * Two versions of one program, for scenarios about generations: `schema-program.ts <version> <directory>`.
 * Version 1 stores products with a price in dollars. Version 2 keeps it in cents: its step works in
 * small batches, slowly, and prints a line for each. Each prints what it sees, or what is wrong.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  Contained,
  codeOf,
  Database,
  evolveObjects,
  Folder,
  field,
  type SchemaManager,
  stored,
} from '../../lib/index.js'

const PRODUCTS = 400
const [version, directory] = process.argv.slice(2) as ['1' | '2', string]

@stored('schema-program.Product')
class Product extends Contained {
  @field accessor price = 0
}

const first: SchemaManager = {
  name: 'shop',
  generation: 0,
  install: ({ root }) => {
    const products = root.set('products', new Folder())
    for (let n = 1; n <= PRODUCTS; n++) {
      const product = products.set(String(n).padStart(4, '0'), new Product())
      product.price = n
    }
  },
}

/** Done twice to one product, it shows. */
const toCents = evolveObjects({
  about: 'prices in cents',
  providing: Product,
  change: (product) => {
    product.price *= 100
  },
  batchSize: 10,
})

const second: SchemaManager = {
  name: 'shop',
  generation: 1,
  minimumGeneration: 1,
  steps: {
    1: {
      about: 'prices in cents',
      batch: async (context, after) => {
        await sleep(5)
        return toCents.batch(context, after)
      },
    },
  },
}

async function main(): Promise<void> {
  const db = await Database.open(directory, {
    schemas: [version === '1' ? first : second],
    evolve: { onProgress: ({ batches }) => console.log(`batch ${batches}`) },
  })
  const prices = await db.view(({ root }) =>
    Array.from((root.getItem('products') as Folder<Product>).values(), (it) => it.price),
  )
  const sum = prices.reduce((total, price) => total + price, 0)
  console.log(`${prices.length} products, ${prices[0]} to ${prices.at(-1)}, ${sum} in all`)
  await db.close()
}

main().catch((error: unknown) => console.log(codeOf(error) ?? String(error)))
