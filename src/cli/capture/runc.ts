import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { CommandError } from '../failures/errors.ts'
import { runProgram, startProgram, waitForExit } from './child-programs.ts'
import { isRunning } from './processes.ts'
import type { HeldProcess, Sandbox, SandboxedCommand } from './sandbox.ts'

const POLL_MS = 50

/** Runs commands with runc, as root. */
export const RUNC: Sandbox = {
  name: 'runc',
  program: 'runc',
  hold: async (command) => {
    const folder = await mkdtemp(join(tmpdir(), 'record-broker-runc-'))
    const id = `record-broker-${randomUUID()}`
    const pidFile = join(folder, 'pid')
    const state = ['--root', join(folder, 'state')]
    const remove = async () => {
      await runProgram('runc', [...state, 'delete', '--force', id]).catch(() => undefined)
      await rm(folder, { recursive: true, force: true })
    }
    try {
      await writeFile(join(folder, 'config.json'), JSON.stringify(runtimeConfig(command)))
      // The container keeps the output of this program.
      const create = startProgram('runc', [...state, 'create', '--bundle', folder, '--pid-file', pidFile, id])
      const status = await waitForExit(create)
      if (status !== 0) throw new CommandError('failed', `runc create ended with status ${status}`)
      const pid = Number(await readFile(pidFile, 'utf8'))
      return {
        pid,
        run: async () => {
          await runProgram('runc', [...state, 'start', id])
          // It is no child of this process, which therefore does not learn its status.
          while (isRunning(pid)) await delay(POLL_MS)
          return undefined
        },
        [Symbol.asyncDispose]: remove,
      } satisfies HeldProcess
    } catch (error) {
      await remove()
      throw error
    }
  },
}

/** Returns the configuration of the container (OCI runtime-spec 1.2, config.md), with the network of the machine. */
function runtimeConfig({ root, command, environment, workingDirectory }: SandboxedCommand) {
  const mount = (destination: string, type: string, options: readonly string[]) => ({
    destination,
    type,
    source: type,
    options,
  })
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: command,
      env: environment,
      cwd: workingDirectory,
    },
    root: { path: root },
    mounts: [
      mount('/proc', 'proc', []),
      mount('/dev', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
      mount('/dev/pts', 'devpts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620']),
      mount('/dev/shm', 'tmpfs', ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k']),
    ],
    // Without a namespace of processes: the first process of one would ignore SIGTERM.
    linux: { namespaces: [{ type: 'ipc' }, { type: 'uts' }, { type: 'mount' }] },
  }
}
