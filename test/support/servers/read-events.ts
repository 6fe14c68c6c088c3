export type ServerSentEvent = { id: string | undefined; event: string; data: Record<string, unknown> }

/**
 * Reads server-sent events from a URL until the stream ends or the caller stops iterating.
 * @param signal ends the iteration, also while no event arrives
 */
export async function* readEvents(
  url: string,
  lastEventId?: string,
  signal?: AbortSignal,
): AsyncGenerator<ServerSentEvent> {
  const stop = new AbortController()
  signal?.addEventListener('abort', () => stop.abort(), { once: true })
  const headers = { accept: 'text/event-stream', ...(lastEventId && { 'last-event-id': lastEventId }) }
  const response = await fetch(url, { headers, signal: stop.signal })
  if (response.status !== 200) throw new Error(`${url} responded with ${response.status}`)
  let unparsed = ''
  try {
    for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (unparsed + text).split('\n\n')
      unparsed = blocks.pop() ?? ''
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
  } catch (error) {
    if (!signal?.aborted) throw error
  } finally {
    stop.abort()
  }
}
