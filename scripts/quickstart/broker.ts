import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const DEFAULT_PORT = 8080

/** A broker with default settings in a child process. */
export type RunningBroker = {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** `127.0.0.1:PORT`, as in references. */
  readonly host: string
  stop(): Promise<void>
}

/** Starts a broker on the default port, or on a free port if the default port is in use. */
export async function startBroker(dataFolder: string): Promise<RunningBroker> {
  const port = (await isFree(DEFAULT_PORT)) ? DEFAULT_PORT : 0
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
  const broker = spawn(process.execPath, [main, 'serve'], {
    // The broker shows its defaults, so it inherits no settings.
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      RECORD_BROKER_DATA: dataFolder,
      RECORD_BROKER_LISTEN: `127.0.0.1:${port}`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    // Ctrl-C must reach only this process, which then stops the broker.
    detached: true,
  })
  const exited = once(broker, 'exit')
  const stop = async () => {
    broker.kill('SIGTERM')
    await exited
  }
  const url = await new Promise<string>((resolve, reject) => {
    const log: string[] = []
    createInterface({ input: broker.stdout }).on('line', (line) => {
      const { msg, url } = parseLogLine(line)
      if (msg === 'listening' && url !== undefined) resolve(url)
      else log.push(line)
    })
    exited.then(([status]) =>
      reject(new Error(`the broker exited with ${status}:\n${log.slice(-5).join('\n')}`)),
    )
  })
  return { url, host: new URL(url).host, stop }
}

function parseLogLine(line: string): { msg?: string; url?: string } {
  try {
    return JSON.parse(line)
  } catch {
    return {}
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
