import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const USUAL_PORT = 8080

/** A broker with its embedded defaults, running as a process of its own. */
export type RunningBroker = {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** `127.0.0.1:PORT`, as references name it. */
  readonly host: string
  stop(): Promise<void>
}

/** Starts a broker on the usual port, or on a free one when that is taken. */
export async function startBroker(dataFolder: string): Promise<RunningBroker> {
  const port = (await isFree(USUAL_PORT)) ? USUAL_PORT : 0
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
  const broker = spawn(process.execPath, [main, 'serve'], {
    // The defaults are the point: no setting of the caller gets in.
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      RECORD_BROKER_DATA: dataFolder,
      RECORD_BROKER_LISTEN: `127.0.0.1:${port}`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    // Ctrl-C reaches this process, which then stops the broker in order.
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
      const { msg, url } = parsed(line)
      if (msg === 'listening' && url !== undefined) resolve(url)
      else log.push(line)
    })
    exited.then(([status]) =>
      reject(new Error(`the broker ended with ${status}:\n${log.slice(-5).join('\n')}`)),
    )
  })
  return { url, host: new URL(url).host, stop }
}

function parsed(line: string): { msg?: string; url?: string } {
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
