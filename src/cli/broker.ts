import type { Readable } from 'node:stream'
import { request } from 'undici'
import { loadConfig } from '../app/config.ts'
import { CommandError } from './errors.ts'

/** Options of every command that asks a broker. */
export type Common = { readonly server?: string; readonly json?: boolean }

/** Prints an answer, for people or as JSON. */
export function print<Answer>(options: Common, answer: Answer, text: (answer: Answer) => string): void {
  process.stdout.write(options.json ? `${JSON.stringify(answer, undefined, 2)}\n` : text(answer))
}

export function queryOf(values: Record<string, string | readonly string[] | undefined>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) {
    for (const one of [value ?? []].flat()) query.append(name, one)
  }
  return query.size === 0 ? '' : `?${query}`
}

type Body = {
  readonly body: string | Readable
  readonly type: string
  readonly encoding?: string | undefined
}

/** One request whose answer is JSON. @throws CommandError */
export async function ask<Answer>(
  options: Common,
  method: 'GET' | 'POST',
  path: string,
  body?: Body,
): Promise<Answer> {
  return JSON.parse(await send(options, method, path, body)) as Answer
}

/** One request to the broker. @throws CommandError with what its problem document says */
export async function send(
  options: Common,
  method: 'GET' | 'POST',
  path: string,
  body?: Body,
): Promise<string> {
  const { listen, token } = loadConfig()
  const server =
    options.server ?? `http://${listen.host.replace(/^(0\.0\.0\.0|\[::\])$/, '127.0.0.1')}:${listen.port}`
  const answer = await request(new URL(path, server), {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': body.type }),
      ...(body?.encoding && { 'content-encoding': body.encoding }),
    },
    ...(body && { body: body.body }),
  }).catch((error: Error) => {
    throw new CommandError(`${server} does not answer: ${error.message || String(error)}`)
  })
  const text = await answer.body.text()
  if (answer.statusCode < 300) return text
  throw new CommandError(problemText(text, `${server} answered ${answer.statusCode}`))
}

function problemText(body: string, otherwise: string): string {
  try {
    const { title, detail, code } = JSON.parse(body) as Record<string, unknown>
    return [code, detail ?? title].filter((part) => typeof part === 'string').join(': ') || otherwise
  } catch {
    return otherwise
  }
}
