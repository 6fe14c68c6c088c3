import { chmod, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { openDatabase } from '../db/open-database.ts'
import { prepareDataFolder } from './data-folder.ts'

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)

it('creates a data folder that only the user of the broker can open, and leaves an existing one as it is', async () => {
  await using parent = await temporaryFolder()
  const warnings: object[] = []
  const log = { warn: (details: object) => void warnings.push(details) }
  const folder = join(parent.path, 'broker', 'data')
  await prepareDataFolder(folder, log)
  expect([await modeOf(folder), await modeOf(join(parent.path, 'broker'))]).toEqual(['700', '700'])
  await chmod(folder, 0o750)
  await prepareDataFolder(folder, log)
  expect(warnings).toEqual([])
  await chmod(folder, 0o755)
  await prepareDataFolder(folder, log)
  expect(warnings).toEqual([{ folder, mode: '755' }])
  expect(await modeOf(folder)).toBe('755')
})

it('creates the folder of a database elsewhere in the same way', async () => {
  await using parent = await temporaryFolder()
  const folder = join(parent.path, 'database')
  await (await openDatabase(`sqlite:${join(folder, 'broker.db')}`)).close()
  expect(await modeOf(folder)).toBe('700')
})
