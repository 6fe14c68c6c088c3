import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { CommandError } from '../failures/errors.ts'
import { parseJson } from '../json-file.ts'
import { startProgram, waitForExit } from './child-programs.ts'
import type { HeldProcess, Sandbox, SandboxedCommand } from './sandbox.ts'

/** The file descriptors of the program that carry the process id, and the permission to go on. */
const INFO_FD = 3
const BLOCK_FD = 4

const Info = z.object({ 'child-pid': z.int().positive() })

/** Runs commands with bubblewrap (`bwrap`), which needs no rights if the machine allows user namespaces. */
export const BUBBLEWRAP: Sandbox = {
  name: 'bubblewrap',
  program: 'bwrap',
  hold: async (command) => {
    const child = startProgram('bwrap', bubblewrapArguments(command), ['pipe', 'pipe'])
    const exited = waitForExit(child)
    const info = await text(child.stdio[INFO_FD] as Readable)
    const parsed = Info.safeParse(parseJson(info))
    if (!parsed.success) {
      throw new CommandError(
        'failed',
        `bwrap ended with status ${await exited} before it started the command`,
      )
    }
    const block = child.stdio[BLOCK_FD] as Writable
    // The process may have ended meanwhile; its end is what counts.
    block.on('error', () => undefined)
    return {
      pid: parsed.data['child-pid'],
      run: () => {
        block.end('\n')
        return exited
      },
      [Symbol.asyncDispose]: async () => {
        child.kill('SIGKILL')
        await exited
      },
    } satisfies HeldProcess
  },
}

function bubblewrapArguments({ root, command, environment, workingDirectory }: SandboxedCommand): string[] {
  const variables = environment.flatMap((text) => {
    const [name = '', ...value] = text.split('=')
    return ['--setenv', name, value.join('=')]
  })
  return [
    ...['--bind', root, '/', '--dev', '/dev', '--proc', '/proc'],
    ...['--unshare-pid', '--die-with-parent', '--clearenv', ...variables],
    ...['--chdir', workingDirectory],
    ...['--info-fd', `${INFO_FD}`, '--block-fd', `${BLOCK_FD}`],
    '--',
    ...command,
  ]
}
