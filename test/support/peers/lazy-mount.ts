import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { lstat, mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { Descriptor } from '../../../src/oci/documents.ts'
import { runProgram } from '../run-program.ts'
import { buildGoProgram } from './build-go-program.ts'

/** Time limit of a command in the root. Commands mostly wait for the registry. */
const COMMAND_MS = 60_000
/** Time limit for the program to unmount everything. */
const UNMOUNT_MS = 20_000

/** The name prefix of all mount folders of this process. */
const FOLDER_PREFIX = `lazy-mount-${process.pid}-`

export type LazyLayer = Pick<Descriptor, 'digest' | 'annotations'>

/** The attributes of a path in a root. Symlinks are not followed. */
export type PathStatus = {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** In seconds since 1970. */
  readonly mtime: number
}

/**
 * The root of an eStargz image that the file system of stargz-snapshotter mounts without pulling the image:
 * content is fetched on the first read. A Go program that calls this library serves the mount. Needs root and
 * /dev/fuse.
 *
 * If a registry in this process serves the image, read the root only from other processes or asynchronously.
 */
export class LazyMount implements AsyncDisposable {
  readonly root: string
  readonly #folder: string
  readonly #child: ChildProcess
  readonly #exited: Promise<void>

  private constructor(folder: string, child: ChildProcess) {
    this.root = join(folder, 'root')
    this.#folder = folder
    this.#child = child
    this.#exited = waitForExit(child)
    // Prevents an unhandled rejection if the program exits before anything awaits it.
    this.#exited.catch(() => {})
  }

  /** Builds the Go program, which is slow the first time. {@link mount} builds it if needed. */
  static build(): Promise<string> {
    return buildGoProgram('lazy-mount')
  }

  /** Mounts an image. Resolves when the prioritized files have been fetched. */
  static async mount(reference: string, layers: readonly LazyLayer[]): Promise<LazyMount> {
    const program = await LazyMount.build()
    // The kernel lists mounts by their real paths.
    const folder = await realpath(await mkdtemp(join(tmpdir(), FOLDER_PREFIX)))
    const mount = new LazyMount(folder, spawn(program, { stdio: 'pipe' }))
    try {
      await mount.#start({ reference, layers, folder })
      return mount
    } catch (error) {
      await mount[Symbol.asyncDispose]().catch(() => {})
      throw error
    }
  }

  /** The mount points of this process. */
  static async listMounts(): Promise<string[]> {
    return findMounts(join(await realpath(tmpdir()), FOLDER_PREFIX))
  }

  /** The id of the process that serves the root. */
  get pid(): number {
    return this.#child.pid ?? 0
  }

  /**
   * Runs a command in the root, and returns its output. The chroot of the host starts it, so the root needs
   * no tools.
   */
  async runCommand(command: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const options = { env, cwd: '/', timeout: COMMAND_MS, killSignal: 'SIGKILL' } as const
    const { stdout } = await promisify(execFile)('/usr/sbin/chroot', [this.root, ...command], options)
    return stdout
  }

  /** Returns the attributes of a path in the root. */
  async stat(path: string): Promise<PathStatus> {
    const { mode, uid, gid, mtimeMs } = await lstat(join(this.root, path))
    return { mode, uid, gid, mtime: Math.floor(mtimeMs / 1000) }
  }

  /**
   * Unmounts everything, even if the program fails. Rejects if it crashed or if a command still runs in the
   * root.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const timeout = setTimeout(() => this.#child.kill('SIGKILL'), UNMOUNT_MS)
    try {
      this.#child.stdin?.end()
      await this.#exited
    } finally {
      clearTimeout(timeout)
      for (const point of await findMounts(`${this.#folder}/`)) await runProgram('umount', '-l', point)
      await rm(this.#folder, { recursive: true, force: true })
    }
  }

  async #start(request: object): Promise<void> {
    const { stdin, stdout } = this.#child
    if (!stdin || !stdout) throw new Error('the program has no pipes')
    // The exit status and stderr describe the failure better than EPIPE.
    stdin.on('error', () => {})
    stdin.write(`${JSON.stringify(request)}\n`)
    const lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
    const { value } = await lines.next()
    if (value !== undefined && JSON.parse(value).event === 'ready') return
    await this.#exited
    throw new Error('lazy-mount exited before its root was ready')
  }
}

/** Waits for the end of the program. Rejects with its standard error if it fails. */
async function waitForExit(child: ChildProcess): Promise<void> {
  let stderr = ''
  child.stderr?.on('data', (part: Buffer) => {
    stderr += part
  })
  const { promise, resolve, reject } = Promise.withResolvers<number | string | null>()
  child.once('error', reject)
  child.once('close', (status, signal) => resolve(status ?? signal))
  const status = await promise
  if (status !== 0) throw new Error(`lazy-mount exited with ${status}: ${stderr}`)
}

/** Returns the mount points whose path has a prefix, the newest first. */
async function findMounts(prefix: string): Promise<string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')
  const points = lines.map((line) => (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, decodeOctal))
  return points.filter((point) => point.startsWith(prefix)).reverse()
}

const decodeOctal = (_: string, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))
