/** A response as a browser sees it. */
export type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

export type BrowserRequest = {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends a request without following redirects. */
export type Send = (
  url: URL,
  request: { readonly method: string; readonly headers: Record<string, string> },
) => Promise<Answer>

/** What a browser does during a login: it keeps cookies by host, and follows redirects. */
export class CookieBrowser {
  readonly cookies = new Map<string, Map<string, string>>()
  /** The addresses that it visited. */
  readonly visited: URL[] = []
  readonly #send: Send

  constructor(send: Send) {
    this.#send = send
  }

  /** Sends one request, with the cookies of its host. */
  async request(url: URL, { method = 'GET', headers = {} }: BrowserRequest = {}): Promise<Answer> {
    this.visited.push(url)
    const jar = this.cookies.get(url.hostname) ?? new Map<string, string>()
    this.cookies.set(url.hostname, jar)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await this.#send(url, { method, headers: { ...(cookie && { cookie }), ...headers } })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '' || /expires=Thu, 01 Jan 1970|max-age=0/i.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
    return answer
  }

  /** Goes to a page, through all redirects up to `until`. */
  async visit(start: URL, until: (url: URL) => boolean = () => false): Promise<Answer> {
    let url = start
    for (let redirects = 0; redirects < 20; redirects++) {
      const answer = await this.request(url)
      const location = answer.headers.get('location')
      if (answer.status < 300 || answer.status >= 400 || location === null) return answer
      url = new URL(location, url)
      if (until(url)) return answer
    }
    throw new Error('there is no end to the redirects')
  }
}
