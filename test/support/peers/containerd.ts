import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { runProgram } from '../run-program.ts'

/** A containerd daemon for `ctr-remote`, with its data in a temporary folder. */
export class Containerd implements AsyncDisposable {
  readonly folder: string
  readonly #stop: () => Promise<void>

  private constructor(folder: string, stop: () => Promise<void>) {
    this.folder = folder
    this.#stop = stop
  }

  static async start(): Promise<Containerd> {
    const folder = await mkdtemp(join(tmpdir(), 'containerd-'))
    const config = join(folder, 'config.toml')
    await writeFile(
      config,
      `version = 2
root = "${folder}/root"
state = "${folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.overlayfs"]
[grpc]
address = "${folder}/containerd.sock"
[ttrpc]
address = "${folder}/containerd.sock.ttrpc"
`,
    )
    const child = spawn('containerd', ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] })
    const exited = once(child, 'exit')
    const stop = async () => {
      child.kill('SIGTERM')
      await exited
      await rm(folder, { recursive: true, force: true })
    }
    await new Promise<void>((resolve, reject) => {
      const log: string[] = []
      createInterface({ input: child.stderr }).on('line', (line) => {
        log.push(line)
        if (line.includes('containerd successfully booted')) resolve()
      })
      child.once('error', reject)
      child.once('exit', () => reject(new Error(`containerd exited:\n${log.slice(-5).join('\n')}`)))
    })
    return new Containerd(folder, stop)
  }

  /** Runs ctr-remote with this daemon. */
  ctr(...args: string[]): Promise<string> {
    return runProgram(
      'ctr-remote',
      '--address',
      `${this.folder}/containerd.sock`,
      '--namespace',
      'test',
      ...args,
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stop()
  }
}
