import type { Command } from 'commander'
import type { BrokerError } from '../../client/broker-error.ts'
import { CommandError, type FailureKind } from '../failures/errors.ts'
import { kindOfCode } from '../failures/exit-status.ts'
import { invalidFieldsText } from '../failures/field-names.ts'
import type { SelectedBroker } from './select-broker.ts'

/** What the message of a failure needs to know about the request. */
export type RequestOrigin = {
  readonly broker: SelectedBroker
  readonly command: Command
  /** The file whose content was sent. */
  readonly file?: string | undefined
  /** What earlier requests of the command have done. */
  readonly addition?: string | undefined
}

/** Returns the error of a command for a failed request. It names the server, what helps, and what remains. */
export function brokerFailure(error: BrokerError, origin: RequestOrigin): CommandError {
  const failure = requestFailure(error, origin)
  const { addition } = origin
  if (addition === undefined) return failure
  return new CommandError(failure.kind, `${failure.message}; ${addition}`, { cause: error })
}

function requestFailure(error: BrokerError, origin: RequestOrigin): CommandError {
  const { broker, command, file } = origin
  if (error.status === 401)
    return new CommandError('unauthorized', unauthorizedText(broker, error), { cause: error })
  if (error.status === undefined) {
    return new CommandError('unavailable', noResponseText(error, broker), { cause: error })
  }
  if (isForeignServer(error)) {
    const text = `${broker.url} is no Record Broker: it responded with ${foreignResponse(error)}; ${addressHint(broker)}`
    return new CommandError(error.status >= 500 ? 'unavailable' : 'usage', text, { cause: error })
  }
  const kind = kindOfCode(error.code) ?? kindOfStatus(error.status)
  const detail = error.errors.length > 0 ? invalidFieldsText(error.errors, command, file) : error.detail
  const isAboutFile = file !== undefined && kind === 'usage' && !detail.startsWith(file)
  const kept = error.recordId === undefined ? '' : `; the record was stored as ${error.recordId}`
  const wait = error.retryAfter === undefined ? '' : `; try again in ${error.retryAfter} s`
  const text = `${broker.url}: ${error.code}: ${isAboutFile ? `${file}: ` : ''}${detail}${kept}${wait}`
  return new CommandError(kind, text, { cause: error })
}

function kindOfStatus(status: number): FailureKind {
  if (status === 400 || status === 415 || status === 421) return 'usage'
  return status >= 500 || status === 429 || status === 408 ? 'unavailable' : 'refused'
}

/** The broker reports every error by a problem document. */
function isForeignServer({ code, status = 0 }: BrokerError): boolean {
  return code === 'NOT_A_BROKER' || code === 'INVALID_RESPONSE' || code === `HTTP_${status}`
}

function foreignResponse({ code, status, detail }: BrokerError): string {
  return code === `HTTP_${status}` ? `status ${status}: ${detail.slice(0, 100)}` : detail
}

function addressHint({ from, url }: SelectedBroker): string {
  const sources = {
    option: 'check --server',
    environment: 'check RECORD_BROKER_SERVER and RECORD_BROKER_LISTEN',
    login: `record-broker login has stored this address; record-broker logout ${url} removes it`,
    default: 'name the broker with --server, RECORD_BROKER_SERVER or record-broker login',
  }
  return sources[from]
}

function unauthorizedText({ url, token, foreignTokenOf }: SelectedBroker, error: BrokerError): string {
  if (token !== undefined) {
    const reason = error.code === 'CREDENTIAL_REJECTED' ? `: ${error.detail}` : ''
    return `${url} refuses the token${reason}; run record-broker login ${url} to store another, or set RECORD_BROKER_SERVER and RECORD_BROKER_TOKEN`
  }
  const foreign =
    foreignTokenOf === undefined
      ? ''
      : `; RECORD_BROKER_TOKEN was not sent, because it belongs to ${foreignTokenOf}: RECORD_BROKER_SERVER=${url} says that it is for this server`
  return `${url} requires a token; run record-broker login ${url}, or set RECORD_BROKER_SERVER and RECORD_BROKER_TOKEN${foreign}`
}

const CERTIFICATE_CODES = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
])

function noResponseText(error: BrokerError, broker: SelectedBroker): string {
  const { url } = broker
  const code = codeOf(error)
  const text = `no response from ${url}: ${reasonText(error)}`
  if (error.code === 'TIMEOUT') return `${url}: ${error.detail}`
  if (CERTIFICATE_CODES.has(code)) {
    return `${text}; if the certificate is yours, set RECORD_BROKER_CA to a PEM file with its authority`
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `${text}; use the name that the certificate is for`
  if (code === 'CERT_HAS_EXPIRED') return `${text}; the server needs a new certificate`
  if (/^(EPROTO|ERR_SSL_)/.test(code) && url.startsWith('https:')) {
    return `${text}; if the server has no TLS, use ${url.replace('https:', 'http:')}`
  }
  if (url.startsWith('http:') && /^(HPE_|UND_ERR_SOCKET|ECONNRESET)/.test(code)) {
    return `${text}; if the server has TLS, use ${url.replace('http:', 'https:')}`
  }
  if (code === 'ENOTFOUND') return `${text}; there is no such host: ${addressHint(broker)}`
  return `${text}; is the broker running? ${addressHint(broker)}`
}

/** The most specific reason: fetch wraps the error of the connection. */
function innermost(error: unknown): Error & { code?: unknown } {
  let inner = error as Error & { code?: unknown }
  while (inner.cause instanceof Error) inner = inner.cause as typeof inner
  const [first] = inner instanceof AggregateError ? inner.errors : []
  return first instanceof Error ? first : inner
}

function codeOf(error: BrokerError): string {
  const { code } = innermost(error)
  return typeof code === 'string' ? code : ''
}

function reasonText(error: BrokerError): string {
  const { message, code } = innermost(error)
  // OpenSSL's messages have the places in its sources.
  if (typeof code === 'string' && /^(EPROTO|ERR_SSL_)/.test(code)) return 'it does not speak TLS'
  return message || String(code ?? 'no reason')
}
