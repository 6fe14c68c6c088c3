import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** The environment of a command: nothing of the machine's settings gets in. */
export function environmentOf(settings: Record<string, string>): Record<string, string | undefined> {
  return {
    PATH: process.env.PATH,
    HOME: '/nonexistent',
    NODE_COMPILE_CACHE: process.env.TEST_COMPILE_CACHE,
    ...settings,
  }
}

/** A broker that runs as a process of its own, on 127.0.0.1. */
export class BrokerProcess implements AsyncDisposable {
  readonly url: string
  readonly #child: ChildProcess
  readonly #workers: number[]

  private constructor(url: string, child: ChildProcess, workers: number[]) {
    this.url = url
    this.#child = child
    this.#workers = workers
  }

  static async start(dataFolder: string, settings: Record<string, string> = {}): Promise<BrokerProcess> {
    const child = spawn(process.execPath, [MAIN, 'serve'], {
      env: environmentOf({
        RECORD_BROKER_DATA: dataFolder,
        RECORD_BROKER_LISTEN: '127.0.0.1:0',
        ...settings,
      }),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const workers: number[] = []
    const url = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const { msg, url, pid } = JSON.parse(line) as { msg: string; url?: string; pid: number }
        if (msg === 'working') workers.push(pid)
        if (msg === 'listening' && url) resolve(url)
      })
      child.once('exit', (status) => reject(new Error(`the broker ended with ${status}`)))
    })
    return new BrokerProcess(url, child, workers)
  }

  /** `127.0.0.1:PORT` */
  get host(): string {
    return new URL(this.url).host
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** The worker that started last. */
  get worker(): number | undefined {
    return this.#workers.at(-1)
  }

  async ask<Answer>(method: string, path: string, body?: object | string): Promise<Answer> {
    const answer = await fetch(new URL(path, this.url), {
      method,
      ...(body !== undefined && {
        headers: { 'content-type': typeof body === 'string' ? 'text/plain' : 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    })
    return (await answer.json()) as Answer
  }

  /** Ends the server without a chance to clean up. */
  async kill(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await exited
  }
}
