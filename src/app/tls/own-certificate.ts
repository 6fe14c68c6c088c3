import { readCertificate } from './tls-pair.ts'

/** The certificates that are accepted at a time: one that replaces another, and that one. */
const MAX_KNOWN = 2

/**
 * Recognises the certificate of this broker by its file, for the broker's own processes and the commands on its
 * machine. They reach it by an address, for which no certificate authority vouches. The file may be newer than what
 * the server presents, and the other way round, for some seconds.
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
