import type { Readable } from 'node:stream'
import { request } from 'undici'
import { loadConfig } from '../app/config.ts'
import { CommandError } from './errors.ts'

/** The options of every command that sends requests to a broker. */
export type BrokerOptions = { readonly server?: string; readonly json?: boolean }

/** The option that names the broker, for commander. */
export const SERVER_OPTION = ['--server <url>', 'the broker; default: http://$RECORD_BROKER_LISTEN'] as const
/** The option that prints the response as it is, for commander. */
export const JSON_OPTION = ['--json', 'print the whole response as JSON'] as const

type Body = {
  readonly body: string | Readable
  readonly type: string
  readonly encoding?: string | undefined
}

/** Formats a query string. A list becomes one parameter per value; undefined values are omitted. */
export function queryOf(values: Record<string, string | readonly string[] | undefined>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) {
    for (const one of [value ?? []].flat()) query.append(name, one)
  }
  return query.size === 0 ? '' : `?${query}`
}

/** Sends a GET request and returns the JSON of the response. @throws CommandError */
export async function get<Response>(options: BrokerOptions, path: string): Promise<Response> {
  return JSON.parse(await send(options, 'GET', path)) as Response
}

/** Sends a value as JSON in a POST request and returns the JSON of the response. @throws CommandError */
export function post<Response>(options: BrokerOptions, path: string, value: unknown): Promise<Response> {
  return postBody(options, path, { body: JSON.stringify(value), type: 'application/json' })
}

/** Sends a body in a POST request and returns the JSON of the response. @throws CommandError */
export async function postBody<Response>(
  options: BrokerOptions,
  path: string,
  body: Body,
): Promise<Response> {
  return JSON.parse(await send(options, 'POST', path, body)) as Response
}

/**
 * Sends one request and returns the text of the response.
 * @throws CommandError with the detail of the problem document
 */
export async function send(
  options: BrokerOptions,
  method: 'GET' | 'POST',
  path: string,
  body?: Body,
): Promise<string> {
  const { listen, token } = loadConfig()
  const server =
    options.server ?? `http://${listen.host.replace(/^(0\.0\.0\.0|\[::\])$/, '127.0.0.1')}:${listen.port}`
  const response = await request(new URL(path, server), {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': body.type }),
      ...(body?.encoding && { 'content-encoding': body.encoding }),
    },
    ...(body && { body: body.body }),
  }).catch((error: Error) => {
    throw new CommandError(`no response from ${server}: ${error.message || String(error)}`)
  })
  const text = await response.body.text()
  if (response.statusCode < 300) return text
  throw new CommandError(problemText(text, `${server} responded with status ${response.statusCode}`))
}

function problemText(body: string, fallback: string): string {
  try {
    const { title, detail, code } = JSON.parse(body) as Record<string, unknown>
    return [code, detail ?? title].filter((part) => typeof part === 'string').join(': ') || fallback
  } catch {
    return fallback
  }
}
