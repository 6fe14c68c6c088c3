import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KEY_BYTES, KeyRing } from '../../access/key-ring.ts'
import { RegistryTokens } from '../../access/registry/registry-tokens.ts'
import { newId } from '../../db/new-id.ts'
import { type Config, ConfigError } from '../config/config.ts'

/** The file of the key in the data folder. */
const KEY_FILE = 'secret.key'

/**
 * Returns the keys of the settings, or else the key in the data folder, which the first process creates. Processes
 * that share a PostgreSQL database have different data folders, so they need the setting.
 * @returns undefined with PostgreSQL and without the setting
 * @throws ConfigError if the file is no key
 */
export async function loadKeyRing(
  config: Pick<Config, 'secretKeys' | 'databaseUrl' | 'dataFolder'>,
): Promise<KeyRing | undefined> {
  if (config.secretKeys) return new KeyRing(config.secretKeys)
  if (!config.databaseUrl.startsWith('sqlite:')) return undefined
  const path = join(config.dataFolder, KEY_FILE)
  const text = (await readKey(path)) ?? (await createKey(config.dataFolder, path))
  const key = Buffer.from(text, 'base64')
  if (key.length !== KEY_BYTES) {
    throw new ConfigError(
      `${path}: expected ${KEY_BYTES} bytes in base64; restore the file from a backup, or remove it, which makes all API tokens and stored credentials useless`,
    )
  }
  return new KeyRing([key])
}

/**
 * Returns what makes tokens of the embedded registry; undefined without a key, or if another registry is used.
 * @throws ConfigError if there are callers besides the operator, and no key: with the operator's token, workers would push
 * in the name of the operator, whatever the project of a job
 */
export function createRegistryTokens(
  config: Pick<Config, 'backingRegistry' | 'oidcPoliciesFile' | 'login'>,
  keys: KeyRing | undefined,
): RegistryTokens | undefined {
  if (config.backingRegistry !== undefined) return undefined
  if (keys) return new RegistryTokens(keys)
  if (config.oidcPoliciesFile !== undefined || config.login !== undefined) {
    throw new ConfigError(
      'RECORD_BROKER_SECRET_KEY: required with PostgreSQL, OIDC and the embedded registry, which demands a credential of workers, too; or set RECORD_BROKER_REGISTRY',
    )
  }
  return undefined
}

async function readKey(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Creates the key under another name first, so that no process ever reads half of it. The first one counts. */
async function createKey(folder: string, path: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  const temporary = join(folder, `${KEY_FILE}.${newId()}`)
  try {
    await writeFile(temporary, `${randomBytes(KEY_BYTES).toString('base64')}\n`, { mode: 0o600, flush: true })
    await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(temporary, { force: true })
  }
  return readFile(path, 'utf8')
}
