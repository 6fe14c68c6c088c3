import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'

const SAMPLE_INTERVAL_MS = 50

/**
 * Samples /proc for the memory of a process's descendants, and for the disk usage of their files in a folder.
 * Removed files count while a descendant has them open.
 */
export class ProcessMonitor {
  readonly #pid: number
  readonly #folder: string
  readonly #timer: NodeJS.Timeout
  #peakRss = 0
  #peakScratch = 0

  constructor(pid: number, folder: string) {
    this.#pid = pid
    this.#folder = folder
    this.#timer = setInterval(() => this.sample(), SAMPLE_INTERVAL_MS)
  }

  /** Stops sampling, and returns the peaks in bytes. */
  stop(): { peakRss: number; peakScratch: number } {
    clearInterval(this.#timer)
    return { peakRss: this.#peakRss, peakScratch: this.#peakScratch }
  }

  sample(): void {
    const pids = listDescendants(this.#pid)
    this.#peakRss = Math.max(this.#peakRss, sum(pids.map((pid) => readPeakRss(pid))))
    const sizes = new Map<string, number>()
    const add = ({ dev, ino, blocks }: Stats) => sizes.set(`${dev}:${ino}`, blocks * 512)
    for (const path of listFiles(this.#folder)) ignoreMissing(() => add(lstatSync(path)))
    for (const pid of pids) {
      for (const path of listOpenFiles(pid, this.#folder)) ignoreMissing(() => add(statSync(path)))
    }
    this.#peakScratch = Math.max(this.#peakScratch, sum([...sizes.values()]))
  }
}

function listDescendants(pid: number): number[] {
  const threads = ignoreMissing(() => readdirSync(`/proc/${pid}/task`)) ?? []
  const children = threads.flatMap((thread) => {
    const list = ignoreMissing(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1')) ?? ''
    return list.split(' ').filter((child) => child !== '')
  })
  return children.map(Number).flatMap((child) => [child, ...listDescendants(child)])
}

function readPeakRss(pid: number): number {
  const status = ignoreMissing(() => readFileSync(`/proc/${pid}/status`, 'latin1')) ?? ''
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
}

function listFiles(folder: string): string[] {
  const entries = ignoreMissing(() => readdirSync(folder, { recursive: true, withFileTypes: true })) ?? []
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** Returns /proc paths of the files in the folder that a process has open, including removed ones. */
function listOpenFiles(pid: number, folder: string): string[] {
  const descriptors = ignoreMissing(() => readdirSync(`/proc/${pid}/fd`)) ?? []
  const paths = descriptors.map((descriptor) => `/proc/${pid}/fd/${descriptor}`)
  return paths.filter((path) => ignoreMissing(() => readlinkSync(path))?.startsWith(`${folder}/`))
}

/** Returns undefined if a process or a file disappears while it is read. */
function ignoreMissing<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
