import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { lstat, mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { Descriptor } from '../../../src/oci/documents.ts'
import { runProgram } from '../run-program.ts'
import { buildGoProgram } from './build-go-program.ts'

/** How long a command in the root may take, most of which is waiting for a registry. */
const COMMAND_MS = 60_000
/** How long the program may take to unmount everything. */
const END_MS = 20_000

/** Folders of this process begin like this. */
const FOLDER = `lazy-mount-${process.pid}-`

export type LazyLayer = Pick<Descriptor, 'digest' | 'annotations'>

/** Of a path in a root; symlinks are not followed. */
export type PathStatus = {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** In seconds. */
  readonly mtime: number
}

/**
 * The root of an eStargz image, mounted by stargz-snapshotter's own file system without pulling it: what is read is fetched
 * when it is read. A program of our own around that library serves it. Root and /dev/fuse are needed.
 *
 * A registry in this process has to answer the reads: the root is to be read by other processes, or asynchronously.
 */
export class LazyMount implements AsyncDisposable {
  readonly root: string
  readonly #folder: string
  readonly #child: ChildProcess
  readonly #ended: Promise<void>

  private constructor(folder: string, child: ChildProcess) {
    this.root = join(folder, 'root')
    this.#folder = folder
    this.#child = child
    this.#ended = endOf(child)
    // It may end while nobody waits for that; who does is told all the same.
    this.#ended.catch(() => {})
  }

  /** Builds the program, which takes a while the first time; {@link mount} does it where nobody has. */
  static build(): Promise<string> {
    return buildGoProgram('lazy-mount')
  }

  /** Mounts an image; all that a record prioritized in it has been fetched when this returns. */
  static async mount(reference: string, layers: readonly LazyLayer[]): Promise<LazyMount> {
    const program = await LazyMount.build()
    // The list of mounts has no symlinks in it.
    const folder = await realpath(await mkdtemp(join(tmpdir(), FOLDER)))
    const mount = new LazyMount(folder, spawn(program, { stdio: 'pipe' }))
    try {
      await mount.#ask({ reference, layers, folder })
      return mount
    } catch (error) {
      await mount[Symbol.asyncDispose]().catch(() => {})
      throw error
    }
  }

  /** Everything of this process that is mounted now. */
  static async listMounts(): Promise<string[]> {
    return mountsBelow(join(await realpath(tmpdir()), FOLDER))
  }

  /** Of the process that serves the root. */
  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Runs a command in the root, and answers its output. The host's chroot begins it, which needs nothing of the root. */
  async runCommand(command: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const options = { env, cwd: '/', timeout: COMMAND_MS, killSignal: 'SIGKILL' } as const
    const { stdout } = await promisify(execFile)('/usr/sbin/chroot', [this.root, ...command], options)
    return stdout
  }

  /** What the root shows of a path. */
  async stat(path: string): Promise<PathStatus> {
    const { mode, uid, gid, mtimeMs } = await lstat(join(this.root, path))
    return { mode, uid, gid, mtime: Math.floor(mtimeMs / 1000) }
  }

  /** Unmounts everything, however the program ends. Fails when it crashed, or when a command still runs in the root. */
  async [Symbol.asyncDispose](): Promise<void> {
    const late = setTimeout(() => this.#child.kill('SIGKILL'), END_MS)
    try {
      this.#child.stdin?.end()
      await this.#ended
    } finally {
      clearTimeout(late)
      for (const point of await mountsBelow(`${this.#folder}/`)) await runProgram('umount', '-l', point)
      await rm(this.#folder, { recursive: true, force: true })
    }
  }

  async #ask(question: object): Promise<void> {
    const { stdin, stdout } = this.#child
    if (!stdin || !stdout) throw new Error('the program has no pipes')
    // How it ended says more.
    stdin.on('error', () => {})
    stdin.write(`${JSON.stringify(question)}\n`)
    const lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
    const { value } = await lines.next()
    if (value !== undefined && JSON.parse(value).event === 'ready') return
    await this.#ended
    throw new Error('lazy-mount ended before its root was ready')
  }
}

/** Fails with what the program complained of. */
async function endOf(child: ChildProcess): Promise<void> {
  let complaints = ''
  child.stderr?.on('data', (part: Buffer) => {
    complaints += part
  })
  const { promise, resolve, reject } = Promise.withResolvers<number | string | null>()
  child.once('error', reject)
  child.once('close', (status, signal) => resolve(status ?? signal))
  const status = await promise
  if (status !== 0) throw new Error(`lazy-mount ended with ${status}: ${complaints}`)
}

/** What is mounted now at paths that begin like this, the last one first. */
async function mountsBelow(beginning: string): Promise<string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')
  const points = lines.map((line) => (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, octal))
  return points.filter((point) => point.startsWith(beginning)).reverse()
}

const octal = (_: string, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))
