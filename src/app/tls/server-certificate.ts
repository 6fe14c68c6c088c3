import type { Server } from 'node:tls'
import type { Logger } from 'pino'
import { ConfigError } from '../config/config.ts'
import type { TlsFiles } from '../config/edge-settings.ts'
import { readTlsPair, type TlsPair } from './tls-pair.ts'

/**
 * Interval at which the files are read. Kubernetes replaces the link to a folder of both, other programs one file after
 * the other: watching them would miss some of these changes, and see others twice.
 */
const POLL_MS = 10_000
const DAY_MS = 24 * 60 * 60 * 1000
/** A certificate that expires earlier is worth a warning, once a day. */
const WARN_BEFORE_MS = 14 * DAY_MS

/** The certificate of the server. It changes with its files, while the server runs. */
export class ServerCertificate implements Disposable {
  readonly #files: TlsFiles
  readonly #log: Logger
  #pair: TlsPair
  #failure: string | undefined
  #warnedAt = Number.NEGATIVE_INFINITY
  #polling: NodeJS.Timeout | undefined

  /** @throws ConfigError if the files cannot be used */
  constructor(files: TlsFiles, log: Logger) {
    this.#files = files
    this.#log = log
    try {
      this.#pair = readTlsPair(files)
    } catch (error) {
      throw new ConfigError((error as Error).message)
    }
    this.#warnOfExpiry()
  }

  /** What the server starts with. */
  get pair(): TlsPair {
    return this.#pair
  }

  /** Lets the server use the files as they change. New connections get the new certificate. */
  follow(server: Pick<Server, 'setSecureContext'>, pollMs = POLL_MS): void {
    this.#polling = setInterval(() => this.#reload(server), pollMs).unref()
  }

  /** A pair that is broken, or half replaced, changes nothing. It is reported once, and tried again. */
  #reload(server: Pick<Server, 'setSecureContext'>): void {
    this.#warnOfExpiry()
    try {
      const pair = readTlsPair(this.#files)
      this.#failure = undefined
      if (pair.cert === this.#pair.cert && pair.key === this.#pair.key) return
      server.setSecureContext(pair)
      this.#pair = pair
      this.#log.info({ expiresAt: pair.expiresAt }, 'the TLS certificate was replaced')
      this.#warnedAt = Number.NEGATIVE_INFINITY
      this.#warnOfExpiry()
    } catch (error) {
      const { message } = error as Error
      if (message === this.#failure) return
      this.#failure = message
      this.#log.error({ reason: message }, 'the new TLS certificate cannot be used; the old one stays')
    }
  }

  #warnOfExpiry(): void {
    const { expiresAt } = this.#pair
    const leftMs = expiresAt.getTime() - Date.now()
    if (leftMs > WARN_BEFORE_MS || performance.now() - this.#warnedAt < DAY_MS) return
    this.#warnedAt = performance.now()
    this.#log.warn(
      { expiresAt },
      leftMs > 0 ? 'the TLS certificate expires soon' : 'the TLS certificate has expired',
    )
  }

  [Symbol.dispose](): void {
    clearInterval(this.#polling)
  }
}
