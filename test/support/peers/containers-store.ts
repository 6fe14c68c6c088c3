import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../run-program.ts'
import { buildGoProgram } from './build-go-program.ts'

/** What lies at a path, as lstat(2) has it, and more. */
export type PulledEntry = {
  readonly name: string
  /** Its type, too. */
  readonly mode: number
  /** In nanoseconds. */
  readonly time: number
}

/** What came of a layer. */
export type PulledLayer = {
  /** Why it was not pulled in parts. */
  readonly refused?: string
  /** Whether it was pulled whole instead, as containers/storage allows for some reasons. */
  readonly whole: boolean
  /** Bytes of the blob that were asked for by ranges. */
  readonly fetched: number
  /** Of the archive that was put together again. */
  readonly diffId?: string
  /** All that lies in the folder of the layer. */
  readonly entries?: readonly PulledEntry[]
}

/** Pulls layers as podman and CRI-O do: by a program of our own around containers/storage. Needs root. */
export class ContainersStore {
  readonly #program: string

  private constructor(program: string) {
    this.#program = program
  }

  static async build(): Promise<ContainersStore> {
    return new ContainersStore(await buildGoProgram('containers-store'))
  }

  /** @param options of storage.conf's pull_options, those that are true */
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
