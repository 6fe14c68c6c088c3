import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { copySandboxLog } from './strace.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strace-log-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function copied(lines: readonly string[]) {
  const from = join(folder, 'from.log')
  const to = join(folder, 'to.log')
  await writeFile(from, lines.map((line) => `${line}\n`).join(''))
  return {
    status: await copySandboxLog(from, to),
    log: (await readFile(to, 'utf8')).split('\n').slice(0, -1),
  }
}

for (const pid of ['71   ', '5297 ', '15297', '4194304']) {
  it(`reads the status of the command with the process id ${pid}`, async () => {
    const ofCommand = [
      `${pid} execve("/bin/sh", ["/bin/sh"], 0x560b /* 1 var */) = 0`,
      `${pid} +++ exited with 7 +++`,
    ]
    expect(
      await copied([
        '12    openat(5</proc>, "self/fd", O_RDONLY) = 3</proc/5290/fd>',
        ...ofCommand,
        '12    +++ exited with 0 +++',
      ]),
    ).toEqual({ status: 7, log: [...ofCommand, '12    +++ exited with 0 +++'] })
  })
}

it('knows no status of a command that a signal ended', async () => {
  const lines = [
    '9     execve("/bin/sh", ["/bin/sh"], 0x560b /* 1 var */) = 0',
    '9     +++ killed by SIGKILL +++',
  ]
  expect(await copied(lines)).toEqual({ status: undefined, log: lines })
})
