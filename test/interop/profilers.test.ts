import { createReadStream } from 'node:fs'
import { mkdir, realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readRecord } from '../../src/records/formats/read-record.ts'
import { cleanName } from '../../src/tar/names.ts'
import { describeWithPeers } from '../support/peers/peers.ts'
import { runProgram } from '../support/run-program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

describeWithPeers(['strace'], 'logs of strace', () => {
  it('resolve to the same files from the traced calls as from the paths of descriptors (-y)', async () => {
    await using folder = await temporaryFolder()
    const root = await realpath(folder.path)
    await mkdir(join(root, 'deep/er'), { recursive: true })
    for (const name of ['one', 'deep/two', 'deep/er/three', 'four']) await writeFile(join(root, name), name)
    const script =
      'cd "$0"; cat one; (cd deep; cat two & cd er; cat three; cat ../../four; wait); cat deep/two'
    const calls = 'trace=open,openat,openat2,execve,execveat,chdir,fchdir,clone,clone3,fork,vfork'
    const trace = async (name: string, ...options: string[]) => {
      const log = join(root, name)
      await runProgram('strace', '-f', ...options, '-e', calls, '-o', log, 'sh', '-c', script, root)
      const { format, entries, skipped } = await readRecord(createReadStream(log), { maxBytes: 1e7 })
      expect(format).toBe('strace')
      expect(skipped.relative).toBeUndefined()
      return new Set(entries.map(({ path }) => `/${cleanName(path)}`))
    }
    const fromCalls = await trace('calls')
    expect(fromCalls).toEqual(await trace('descriptors', '-y', '-tt', '-T'))
    for (const name of ['one', 'deep/two', 'deep/er/three', 'four'])
      expect(fromCalls).toContain(join(root, name))
  })
})
