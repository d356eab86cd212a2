import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory for all that a run writes; it is gone when the run is over. */
export class Workspace {
  readonly location: string
  #directories = 0

  /** @param parent - default: the system's directory for temporary files. */
  static async create(parent: string = tmpdir()): Promise<Workspace> {
    return new Workspace(await mkdtemp(join(parent, 'treehook-bench-')))
  }

  private constructor(location: string) {
    this.location = location
  }

  /** A path that nobody else was given; there is nothing yet. */
  directory(name: string): string {
    return join(this.location, `${++this.#directories}-${name}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.location, { recursive: true, force: true })
  }
}
