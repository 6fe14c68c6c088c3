import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../run-program.ts'
import { buildGoProgram } from './build-go-program.ts'

/** A path of a pulled layer, with the attributes of lstat(2) and further ones. */
export type PulledEntry = {
  readonly name: string
  /** The file type and the permission bits. */
  readonly mode: number
  /** In nanoseconds since 1970. */
  readonly time: number
}

/** The result of pulling a layer. */
export type PulledLayer = {
  /** Why the layer could not be pulled partially. */
  readonly partialPullError?: string
  /**
   * Whether the complete layer was pulled instead, which containers/storage does after certain errors only.
   */
  readonly isFullPull: boolean
  /** The number of bytes requested by ranges. */
  readonly fetchedBytes: number
  /** The diffID of the reassembled archive. */
  readonly diffId?: string
  /** Everything in the folder of the layer. */
  readonly entries?: readonly PulledEntry[]
}

/** Pulls layers as podman and CRI-O do, with a Go program that calls containers/storage. Needs root. */
export class ContainersStore {
  readonly #program: string

  private constructor(program: string) {
    this.#program = program
  }

  static async build(): Promise<ContainersStore> {
    return new ContainersStore(await buildGoProgram('containers-store'))
  }

  /** @param options names of `pull_options` in storage.conf to set to true */
  async pull(
    blob: string,
    annotations: Readonly<Record<string, string>>,
    ...options: readonly string[]
  ): Promise<PulledLayer> {
    const folder = await mkdtemp(join(tmpdir(), 'containers-store-'))
    try {
      const text = await runProgram(this.#program, folder, blob, JSON.stringify(annotations), ...options)
      return JSON.parse(text)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}
