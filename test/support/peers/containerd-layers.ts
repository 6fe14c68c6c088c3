import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../run-program.ts'
import { buildGoProgram } from './build-go-program.ts'

/** A path of a layer. A whiteout has only its name. */
export type ContainerdEntry = {
  readonly name: string
  /** The file type and permission bits, as in stat(2). */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** In seconds since 1970. */
  readonly time: number
  readonly link?: string
  readonly major?: number
  readonly minor?: number
  readonly size: number
  /** In base64. */
  readonly xattrs?: Record<string, string>
}

/**
 * Reads layers with a Go program in the two ways of containerd: extracted by containerd itself, and lazily by
 * the metadata store of stargz-snapshotter.
 */
export class ContainerdLayers {
  readonly #program: string

  private constructor(program: string) {
    this.#program = program
  }

  static async build(): Promise<ContainerdLayers> {
    return new ContainerdLayers(await buildGoProgram('containerd-layers'))
  }

  /**
   * Extracts each layer on top of the lower ones, and returns the content of each layer's folder. Needs root.
   * @param archives paths of tar archives, lowest layer first
   */
  async extract(archives: readonly string[]): Promise<ContainerdEntry[][]> {
    const folder = await mkdtemp(join(tmpdir(), 'containerd-layers-'))
    try {
      const entries = await this.#list('extract', folder, ...archives)
      return archives.map((_, i) =>
        entries.filter(({ layer }) => layer === i).map(({ layer: _, ...entry }) => entry),
      )
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  /**
   * Reads a blob with the metadata store.
   * @param externalToc the path of a table of contents outside the blob
   */
  async readLazily(blob: string, tocDigest: string, externalToc?: string): Promise<ContainerdEntry[]> {
    const external = externalToc === undefined ? [] : [externalToc]
    const entries = await this.#list('read', blob, tocDigest, ...external)
    return entries.map(({ layer: _, ...entry }) => entry)
  }

  async #list(...args: string[]): Promise<(ContainerdEntry & { layer: number })[]> {
    const lines = (await runProgram(this.#program, ...args)).trim().split('\n')
    return lines.map((line) => JSON.parse(line))
  }
}
