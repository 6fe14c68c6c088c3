import { randomBytes } from 'node:crypto'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { KEY_BYTES, KeyRing } from '../../access/key-ring.ts'
import { createRegistryTokens, loadKeyRing } from './key-ring.ts'

it('creates one key for all processes that start at once, readable by its owner only', async () => {
  await using folder = await temporaryFolder()
  const config = { secretKeys: undefined, databaseUrl: 'sqlite:x', dataFolder: join(folder.path, 'data') }
  const rings = await Promise.all(Array.from({ length: 8 }, () => loadKeyRing(config)))
  const hashes = new Set(rings.map((ring) => ring?.hashes('test', 'text')[0]))
  expect([...hashes]).toEqual([expect.any(String)])
  const path = join(config.dataFolder, 'secret.key')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readdir(config.dataFolder)).toEqual(['secret.key'])
  expect(Buffer.from(await readFile(path, 'utf8'), 'base64')).toHaveLength(KEY_BYTES)
})

it('uses the keys of the settings', async () => {
  const key = randomBytes(KEY_BYTES)
  const config = { secretKeys: [key], databaseUrl: 'postgres://x', dataFolder: '/nonexistent' }
  const ring = await loadKeyRing(config)
  expect(ring?.hashes('test', 'text')).toEqual(new KeyRing([key]).hashes('test', 'text'))
  expect(await loadKeyRing({ ...config, secretKeys: undefined })).toBeUndefined()
})

it('does not replace a file that is no key', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'secret.key')
  await writeFile(path, 'short\n')
  const config = { secretKeys: undefined, databaseUrl: 'sqlite:x', dataFolder: folder.path }
  await expect(loadKeyRing(config)).rejects.toThrow(/secret\.key: expected 32 bytes/)
  expect(await readFile(path, 'utf8')).toBe('short\n')
})

it('demands a key where workers would be the operator to the embedded registry, or nobody', async () => {
  const config = {
    secretKeys: undefined,
    databaseUrl: 'postgres://x',
    dataFolder: '/nonexistent',
    backingRegistry: undefined,
    oidcPoliciesFile: '/policies.json',
    login: undefined,
  }
  const open = async (settings: object) => {
    const all = { ...config, ...settings }
    return createRegistryTokens(all, await loadKeyRing(all))
  }
  await expect(open({})).rejects.toThrow(/^RECORD_BROKER_SECRET_KEY: required/)
  const others = [
    { oidcPoliciesFile: undefined },
    { backingRegistry: { host: 'registry.example', prefix: '' } },
  ]
  for (const other of others) expect(await open(other)).toBeUndefined()
  expect(await open({ secretKeys: [randomBytes(KEY_BYTES)] })).toBeDefined()
})
