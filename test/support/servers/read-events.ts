export type ServerSentEvent = { id: string | undefined; event: string; data: Record<string, unknown> }

/** Reads server-sent events from a URL until its end, or until the caller stops. */
export async function* readEvents(url: string, lastEventId?: string): AsyncGenerator<ServerSentEvent> {
  const stop = new AbortController()
  const headers = { accept: 'text/event-stream', ...(lastEventId && { 'last-event-id': lastEventId }) }
  const answer = await fetch(url, { headers, signal: stop.signal })
  if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`)
  let rest = ''
  try {
    for await (const text of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (rest + text).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const fields = new Map(
          block.split('\n').map((line): [string, string] => {
            const colon = line.indexOf(': ')
            return [line.slice(0, colon), line.slice(colon + 2)]
          }),
        )
        const event = fields.get('event')
        if (event) yield { id: fields.get('id'), event, data: JSON.parse(fields.get('data') ?? 'null') }
      }
    }
  } finally {
    stop.abort()
  }
}
