import { readCertificate } from './tls-pair.ts'

/** A new certificate, and the one that it replaces, are accepted at the same time. */
const MAX_KNOWN = 2

/**
 * Recognises the certificate of this broker by its file, for the broker's own processes and the commands on its
 * machine. They reach it by an address, for which no certificate authority vouches. For some seconds, the file
 * may be newer than what the server presents; or the server presents a newer one than was read here.
 */
export class OwnCertificate {
  readonly #file: string
  #known: readonly Buffer[] = []

  constructor(file: string) {
    this.#file = file
  }

  /** Whether a server presents the certificate in the file, or the one that was there before. */
  matches(certificate: Buffer): boolean {
    return this.#isKnown(certificate) || (this.#readAgain() && this.#isKnown(certificate))
  }

  #isKnown(certificate: Buffer): boolean {
    return this.#known.some((known) => known.equals(certificate))
  }

  #readAgain(): boolean {
    try {
      const current = readCertificate(this.#file)
      if (!this.#isKnown(current)) this.#known = [current, ...this.#known].slice(0, MAX_KNOWN)
      return true
    } catch {
      // Half replaced, or gone: what is known remains.
      return false
    }
  }
}
