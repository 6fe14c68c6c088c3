import { readFileSync } from 'node:fs'
import { runProgram, startProgram, waitForExit } from './child-programs.ts'
import type { HeldProcess, Sandbox, SandboxedCommand } from './sandbox.ts'

/** Runs commands with podman, which needs no rights if the machine is set up for that. */
export const PODMAN: Sandbox = {
  name: 'podman',
  program: 'podman',
  hold: async (command) => {
    const id = (await runProgram('podman', ['create', ...podmanArguments(command)])).trim()
    const remove = async () =>
      void (await runProgram('podman', ['rm', '--force', '--time', '0', id]).catch(() => undefined))
    try {
      // The process exists from here on, and waits for the start.
      await runProgram('podman', ['init', id])
      const pid = Number(await runProgram('podman', ['inspect', '--format', '{{.State.Pid}}', id]))
      return {
        pid,
        run: () => waitForExit(startProgram('podman', ['start', '--attach', id])),
        [Symbol.asyncDispose]: remove,
      } satisfies HeldProcess
    } catch (error) {
      await remove()
      throw error
    }
  },
}

/** Enough for a start; podman lowers its own limit to 32,768. */
const MAX_PROCESSES = 16_384

/**
 * Gives the command limits that this process has itself: podman would raise them, for which it may lack the
 * right, even as root in a container.
 */
function limitArguments(): string[] {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const hardLimit = (title: string) =>
    Number(new RegExp(`^${title} +\\S+ +(\\d+)`, 'm').exec(limits)?.[1] ?? Infinity)
  const files = hardLimit('Max open files')
  const processes = Math.min(hardLimit('Max processes'), MAX_PROCESSES)
  return [
    ...(Number.isFinite(files) ? ['--ulimit', `nofile=${files}:${files}`] : []),
    ...['--ulimit', `nproc=${processes}:${processes}`],
  ]
}

function podmanArguments({ root, command, environment, workingDirectory }: SandboxedCommand): string[] {
  return [
    ...['--quiet', '--network', 'host', '--pid', 'host', ...limitArguments(), '--entrypoint', '[]'],
    ...environment.flatMap((text) => ['--env', text]),
    ...['--workdir', workingDirectory],
    ...['--rootfs', root],
    ...command,
  ]
}
