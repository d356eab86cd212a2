import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** A program that stands in a document. */
export interface Program {
  /** `README.md:24`, its first line. */
  readonly place: string
  readonly source: string
  /** What it prints; absent when the document does not say. */
  readonly output: string | undefined
}

/** The programs of these documents, and of those in these folders, in reading order. */
export function programsIn(root: string, paths: readonly string[]): Program[] {
  return paths
    .flatMap((path) => documentsIn(root, path))
    .flatMap((document) => parse(document, readFileSync(join(root, document), 'utf8')))
}

function documentsIn(root: string, path: string): string[] {
  if (!statSync(join(root, path)).isDirectory()) return [path]
  return readdirSync(join(root, path), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `${path}/${name}`)
}

const PROGRAM = /^```ts run\n([\s\S]*?)^```\n(?:\s*```text output\n([\s\S]*?)^```$)?/gm

function parse(document: string, text: string): Program[] {
  return [...text.matchAll(PROGRAM)].map(({ index, 1: source = '', 2: output }) => {
    const line = text.slice(0, index).split('\n').length + 1
    return { place: `${document}:${line}`, source, output }
  })
}
