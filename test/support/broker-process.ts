import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** An environment for a command that inherits no settings from the machine. */
export function isolatedEnvironment(settings: Record<string, string>): Record<string, string | undefined> {
  return {
    PATH: process.env.PATH,
    HOME: '/nonexistent',
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
    ...settings,
  }
}

export type LogLine = { readonly msg: string; readonly pid: number } & Readonly<Record<string, unknown>>

/** Reads the log of a broker and its processes. */
class BrokerLog {
  readonly workerPids: number[] = []
  readonly lines: LogLine[] = []
  readonly #waiting = new Map<string, PromiseWithResolvers<LogLine>>()

  constructor(output: Readable) {
    createInterface({ input: output }).on('line', (text) => {
      const line = JSON.parse(text) as LogLine
      this.lines.push(line)
      if (line.msg === 'working') this.workerPids.push(line.pid)
      this.#waiting.get(line.msg)?.resolve(line)
      this.#waiting.delete(line.msg)
    })
  }

  next(message: string): Promise<LogLine> {
    const waiting = this.#waiting.get(message) ?? Promise.withResolvers<LogLine>()
    this.#waiting.set(message, waiting)
    return waiting.promise
  }
}

/** A broker in a child process, on a free port of 127.0.0.1. */
export class BrokerProcess implements AsyncDisposable {
  readonly url: string
  readonly #child: ChildProcess
  readonly #log: BrokerLog

  private constructor(url: string, child: ChildProcess, log: BrokerLog) {
    this.url = url
    this.#child = child
    this.#log = log
  }

  /** @param command the program and its arguments that run the command line; default: the sources */
  static async start(
    dataFolder: string,
    settings: Record<string, string> = {},
    [program, ...args]: readonly [string, ...string[]] = [process.execPath, MAIN],
  ): Promise<BrokerProcess> {
    const child = spawn(program, [...args, 'serve'], {
      env: isolatedEnvironment({
        RECORD_BROKER_DATA: dataFolder,
        RECORD_BROKER_LISTEN: '127.0.0.1:0',
        ...settings,
      }),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const log = new BrokerLog(child.stdout)
    const exited = new Promise<never>((_, reject) =>
      child.once('exit', (status) => reject(new Error(`the broker exited with ${status}`))),
    )
    exited.catch(() => undefined)
    const { url } = await Promise.race([log.next('listening'), exited])
    return new BrokerProcess(String(url), child, log)
  }

  /** `127.0.0.1:PORT` */
  get host(): string {
    return new URL(this.url).host
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** The process id of the newest worker. */
  get workerPid(): number | undefined {
    return this.#log.workerPids.at(-1)
  }

  /** All lines of the log so far. */
  get logLines(): readonly LogLine[] {
    return this.#log.lines
  }

  /** The next log line with this message. */
  nextLogLine(message: string): Promise<LogLine> {
    return this.#log.next(message)
  }

  /** Sends a request with a JSON or text body, and returns the JSON of the response, whatever its status. */
  async request<Body>(method: string, path: string, body?: object | string): Promise<Body> {
    const response = await fetch(new URL(path, this.url), {
      method,
      ...(body !== undefined && {
        headers: { 'content-type': typeof body === 'string' ? 'text/plain' : 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    })
    return (await response.json()) as Body
  }

  /** Kills the server with SIGKILL. */
  async kill(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  /** Stops the server with SIGTERM, and returns its exit status. */
  async stop(): Promise<number | null> {
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    const [status] = (await exited) as [number | null]
    return status
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.stop()
  }
}
