import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CredentialSource } from '../../registry/auth/credentials.ts'
import { createDockerConfigSource } from '../../registry/auth/docker-config.ts'
import type { ProjectCredentials } from './credential-store.ts'

/** The names of docker's config.json in the folder of a project: the second is that of a Kubernetes secret. */
const FILE_NAMES = ['config.json', '.dockerconfigjson']

/** Returns the docker configs of a project. @param folder the folder with a folder for each project */
function filesOf(project: string, folder: string | undefined): string[] {
  return folder === undefined ? [] : FILE_NAMES.map((name) => join(folder, project, name))
}

/**
 * Returns a text that changes whenever one of the files that a project's credentials come from is changed, added or
 * removed.
 * @param shared the docker config of the broker
 */
export async function versionOfFiles(
  project: string,
  { folder, shared }: { readonly folder: string | undefined; readonly shared: string },
): Promise<string> {
  const states = [...filesOf(project, folder), shared].map(async (path) => {
    const state = await stat(path).catch(() => undefined)
    return state && [state.ino, state.mtimeMs, state.size]
  })
  return JSON.stringify(await Promise.all(states))
}

/**
 * Creates the source of one project's registry credentials: the stored ones, those of the project's own docker config,
 * and those of the broker's docker config if the project may use them. Without any, access is anonymous.
 * @param options.folder the folder with a folder for each project; undefined: there is none
 * @param options.shared undefined: the project may not use the broker's own
 */
export function createProjectSource(
  project: string,
  {
    stored,
    folder,
    shared,
  }: {
    readonly stored: Pick<ProjectCredentials, 'find'>
    readonly folder: string | undefined
    readonly shared: CredentialSource | undefined
  },
): CredentialSource {
  const files = filesOf(project, folder).map((path) => createDockerConfigSource(path))
  const sources: CredentialSource[] = [(host) => stored.find(host), ...files, ...(shared ? [shared] : [])]
  return async (host) => {
    for (const source of sources) {
      const credentials = await source(host)
      if (credentials) return credentials
    }
    return undefined
  }
}
