import { BrokerError } from './broker-error.ts'

/** Text and bytes are sent as they are; anything else is sent as JSON. */
export function serializeBody(body: unknown, headers?: Headers): unknown {
  const isJson = /json\s*(;|$)/i.test(headers?.get('content-type') ?? 'application/json')
  const isRaw = typeof body === 'string' ? !isJson : isBytes(body) || isStream(body)
  return isRaw ? body : JSON.stringify(body)
}

function isBytes(body: unknown): boolean {
  return body instanceof Blob || body instanceof ArrayBuffer || ArrayBuffer.isView(body)
}

/** Whether a body can be read once. */
export function isStream(body: unknown): boolean {
  return body instanceof ReadableStream
}

/** Returns the value of a JSON body, and the text of any other. @throws BrokerError INVALID_RESPONSE */
export function parseBody(text: string | undefined, { headers, status }: Response): unknown {
  if (text === undefined || !/[/+]json\s*(;|$)/i.test(headers.get('content-type') ?? '')) return text
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new BrokerError('INVALID_RESPONSE', 'the response is not JSON, although it says so', {
      status,
      cause,
    })
  }
}
