import { createConnection } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { BrokerProcess } from '../../test/support/broker-process.ts'

/** The tag of all source images. */
export const TAG = 'a'
/** The time limit of a case. */
const CASE_TIMEOUT_MS = 180_000
/** The time after which an upload that makes no progress is aborted. */
const UPLOAD_IDLE_MS = 25_000
const UPLOAD_BYTES = 100_000_000

/** A response of the broker. The status is 0 if there is none. */
export type BrokerResponse = { readonly status: number; readonly body: Record<string, unknown> }

/** The broker that a case sends requests to, and the registry with its source images. */
export class HostileBench {
  readonly broker: BrokerProcess
  readonly #registry: string

  constructor(broker: BrokerProcess, registry: string) {
    this.broker = broker
    this.#registry = registry
  }

  /** The reference of a source image. */
  image(name: string): string {
    return `${this.#registry}/${name}:${TAG}`
  }

  async request(method: string, path: string, body?: object | string): Promise<BrokerResponse> {
    const type = typeof body === 'string' ? 'text/plain' : 'application/json'
    try {
      const response = await fetch(new URL(path, this.broker.url), {
        method,
        signal: AbortSignal.timeout(CASE_TIMEOUT_MS),
        ...(body !== undefined && { headers: { 'content-type': type } }),
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      return { status: response.status, body: (await response.json()) as BrokerResponse['body'] }
    } catch (error) {
      const { message, cause } = error as Error
      return { status: 0, body: { code: `${message} ${cause instanceof Error ? cause.message : ''}` } }
    }
  }

  /** Uploads a record, and returns its id. */
  async uploadRecord(text: string): Promise<string> {
    return String((await this.request('POST', '/v1/records', text)).body.id)
  }

  evaluate(record: string, image: string): Promise<BrokerResponse> {
    return this.request('POST', `/v1/records/${record}/evaluations`, { image: this.image(image) })
  }

  /** Starts a conversion, and returns its id. */
  async convert(image: string, fields: object = {}): Promise<string> {
    const target = this.image(`${image}-out-${Math.random().toString(36).slice(2)}`)
    const conversion = { source: this.image(image), target, ...fields }
    return String((await this.request('POST', '/v1/conversions', conversion)).body.id)
  }

  /** Waits until a conversion has ended or the case has timed out. */
  async waitForEnd(id: string): Promise<BrokerResponse> {
    const timeoutAt = performance.now() + CASE_TIMEOUT_MS
    for (;;) {
      const response = await this.request('GET', `/v1/conversions/${id}`)
      const hasEnded = !['queued', 'running'].includes(String(response.body.state))
      if (hasEnded || performance.now() > timeoutAt) return response
      await delay(20)
    }
  }

  /**
   * Uploads a record whose first line is invalid. Returns the status, and the idle time of the connection at
   * its end.
   */
  sendRejectedUpload(): Promise<string> {
    const { hostname, port } = new URL(this.broker.url)
    return new Promise((resolve) => {
      const socket = createConnection({ host: hostname, port: Number(port) })
      const piece = Buffer.alloc(65_536, 'a')
      let remaining = UPLOAD_BYTES
      let lastWriteAt = performance.now()
      let response = ''
      const end = () => {
        clearInterval(timer)
        socket.destroy()
        const idleSeconds = ((performance.now() - lastWriteAt) / 1000).toFixed(1)
        resolve(`${response.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)}, idle for ${idleSeconds} s`)
      }
      const timer = setInterval(() => performance.now() - lastWriteAt > UPLOAD_IDLE_MS && end(), 100)
      const send = () => {
        while (remaining > 0) {
          remaining -= piece.length
          lastWriteAt = performance.now()
          if (!socket.write(piece)) return
        }
        end()
      }
      socket.on('data', (bytes) => {
        response ||= bytes.toString('latin1')
      })
      socket.on('drain', send).on('error', end).on('close', end)
      const headers = `Host: ${hostname}:${port}\r\nContent-Type: text/plain\r\nContent-Length: ${UPLOAD_BYTES}`
      socket.write(`POST /v1/records HTTP/1.1\r\n${headers}\r\n\r\n7 openat(AT_FDCWD, "/`)
      send()
    })
  }
}
