import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'

/** Milliseconds between two looks. */
const INTERVAL_MS = 50

/**
 * Looks again and again at what the descendants of a process hold, by what /proc says: memory, and the disk space of
 * files in a folder. Files without a name count as long as a descendant has them open.
 */
export class ProcessMonitor {
  readonly #pid: number
  readonly #folder: string
  readonly #timer: NodeJS.Timeout
  #rss = 0
  #scratch = 0

  constructor(pid: number, folder: string) {
    this.#pid = pid
    this.#folder = folder
    this.#timer = setInterval(() => this.sample(), INTERVAL_MS)
  }

  /** Ends the watch; answers the most bytes that were seen. */
  stop(): { rss: number; scratch: number } {
    clearInterval(this.#timer)
    return { rss: this.#rss, scratch: this.#scratch }
  }

  sample(): void {
    const pids = descendants(this.#pid)
    const peaks = pids.map((pid) => readPeak(pid))
    this.#rss = Math.max(this.#rss, sum(peaks))
    const files = new Map<string, number>()
    const see = ({ dev, ino, blocks }: Stats) => files.set(`${dev}:${ino}`, blocks * 512)
    for (const path of filesIn(this.#folder)) unlessGone(() => see(lstatSync(path)))
    for (const pid of pids) {
      for (const path of openFiles(pid, this.#folder)) unlessGone(() => see(statSync(path)))
    }
    this.#scratch = Math.max(this.#scratch, sum([...files.values()]))
  }
}

function descendants(pid: number): number[] {
  const threads = unlessGone(() => readdirSync(`/proc/${pid}/task`)) ?? []
  const children = threads.flatMap((thread) => {
    const list = unlessGone(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1')) ?? ''
    return list.split(' ').filter((one) => one !== '')
  })
  return children.map(Number).flatMap((child) => [child, ...descendants(child)])
}

function readPeak(pid: number): number {
  const status = unlessGone(() => readFileSync(`/proc/${pid}/status`, 'latin1')) ?? ''
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
}

function filesIn(folder: string): string[] {
  const found = unlessGone(() => readdirSync(folder, { recursive: true, withFileTypes: true })) ?? []
  return found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
}

/** Files of the folder that a process has open, removed ones too, by paths that lead to them. */
function openFiles(pid: number, folder: string): string[] {
  const numbers = unlessGone(() => readdirSync(`/proc/${pid}/fd`)) ?? []
  const paths = numbers.map((number) => `/proc/${pid}/fd/${number}`)
  return paths.filter((path) => unlessGone(() => readlinkSync(path))?.startsWith(`${folder}/`))
}

/** Processes and files end while they are looked at. */
function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
