import { z } from 'zod'
import { parseDocument } from '../../oci/documents.ts'

/** The process that a container of an image starts by default. */
export type ContainerProcess = {
  /** The program and its arguments; empty if the image names none. */
  readonly command: readonly string[]
  /** `NAME=value` each. */
  readonly environment: readonly string[]
  /** An absolute path. */
  readonly workingDirectory: string
}

const Texts = z.array(z.string()).nullish()

/** The part of an image config that describes the process (OCI image-spec 1.1, config.md). */
const ProcessConfig = z.looseObject({
  config: z
    .looseObject({ Entrypoint: Texts, Cmd: Texts, Env: Texts, WorkingDir: z.string().nullish() })
    .nullish(),
})

/**
 * Reads the default process of an image from its config.
 * @param label names the config in errors
 * @throws DocumentError INVALID_DOCUMENT
 */
export function readContainerProcess(config: Uint8Array, label: string): ContainerProcess {
  const { Entrypoint, Cmd, Env, WorkingDir } = parseDocument(ProcessConfig, config, label).config ?? {}
  return {
    command: [...(Entrypoint ?? []), ...(Cmd ?? [])],
    environment: Env ?? [],
    workingDirectory: WorkingDir || '/',
  }
}
