import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { TlsFiles } from '../config/edge-settings.ts'

/** A larger file is not a certificate. */
const MAX_BYTES = 1024 * 1024

/** A certificate with its key, which belong together. */
export type TlsPair = {
  readonly cert: string
  readonly key: string
  readonly minVersion: 'TLSv1.2'
  readonly expiresAt: Date
}

/**
 * Reads a certificate and its key, and checks that a server can use them.
 * @throws Error that names the setting; the message has nothing of the key
 */
export function readTlsPair(files: TlsFiles): TlsPair {
  const cert = readSmallFile('RECORD_BROKER_TLS_CERT', files.cert)
  const key = readSmallFile('RECORD_BROKER_TLS_KEY', files.key)
  const leaf = parsed('RECORD_BROKER_TLS_CERT', () => new X509Certificate(cert))
  const privateKey = parsed('RECORD_BROKER_TLS_KEY', () => createPrivateKey(key))
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new Error('RECORD_BROKER_TLS_KEY: the key does not belong to the certificate')
  }
  const pair = { cert, key, minVersion: 'TLSv1.2' } as const
  parsed('RECORD_BROKER_TLS_CERT', () => createSecureContext(pair))
  return { ...pair, expiresAt: new Date(leaf.validTo) }
}

/** Reads the certificate of a server, the first in its file, in DER. @throws Error */
export function readCertificate(file: string): Buffer {
  return new X509Certificate(readSmallFile('RECORD_BROKER_TLS_CERT', file)).raw
}

function parsed<T>(setting: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new Error(`${setting}: ${(error as Error).message}`, { cause: error })
  }
}

function readSmallFile(setting: string, path: string): string {
  const stats = parsed(setting, () => statSync(path))
  if (!stats.isFile()) throw new Error(`${setting}: ${path} is not a file`)
  if (stats.size > MAX_BYTES) throw new Error(`${setting}: ${path} is larger than ${MAX_BYTES} bytes`)
  return parsed(setting, () => readFileSync(path, 'utf8'))
}
