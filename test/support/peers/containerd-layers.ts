import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../run-program.ts'
import { buildGoProgram } from './build-go-program.ts'

/** What is told of a path of a layer; a whiteout has no more than its name. */
export type ContainerdEntry = {
  readonly name: string
  /** As stat(2) has it. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** In seconds. */
  readonly time: number
  readonly link?: string
  readonly major?: number
  readonly minor?: number
  readonly size: number
  /** In base64. */
  readonly xattrs?: Record<string, string>
}

/** Layers as containerd unpacks them, and as the stores of stargz-snapshotter read them: by a program of our own around both. */
export class ContainerdLayers {
  readonly #program: string

  private constructor(program: string) {
    this.#program = program
  }

  static async build(): Promise<ContainerdLayers> {
    return new ContainerdLayers(await buildGoProgram('layer-views'))
  }

  /** What is in the folder of each layer when all of them are unpacked. Needs root. @param archives paths, lowest first */
  async unpack(archives: readonly string[]): Promise<ContainerdEntry[][]> {
    const folder = await mkdtemp(join(tmpdir(), 'layer-views-'))
    try {
      const entries = await this.#entries('unpack', folder, ...archives)
      return archives.map((_, i) =>
        entries.filter(({ layer }) => layer === i).map(({ layer: _, ...entry }) => entry),
      )
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  /** What the store reads out of a blob. @param externalToc path of a table of contents that is not in it */
  async readLazily(blob: string, tocDigest: string, externalToc?: string): Promise<ContainerdEntry[]> {
    const external = externalToc === undefined ? [] : [externalToc]
    const entries = await this.#entries('read', blob, tocDigest, ...external)
    return entries.map(({ layer: _, ...entry }) => entry)
  }

  async #entries(...args: string[]): Promise<(ContainerdEntry & { layer: number })[]> {
    const lines = (await runProgram(this.#program, ...args)).trim().split('\n')
    return lines.map((line) => JSON.parse(line))
  }
}
