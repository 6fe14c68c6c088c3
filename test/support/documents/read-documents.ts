import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { lexer, type Token } from 'marked'

/** The folder of the checkout, with a slash at its end. */
export const CHECKOUT = fileURLToPath(new URL('../../../', import.meta.url))

/** A part of a document, and where it is, such as `docs/api.md:12`. */
export type Excerpt = { readonly where: string; readonly text: string }

/** A fenced block of code. */
export type CodeBlock = Excerpt & { readonly language: string }

/** A Markdown document of the repository. */
export class Document {
  /** Its path in the repository. */
  readonly name: string
  readonly text: string
  readonly blocks: readonly CodeBlock[]
  /** Code in the middle of a text, tables included. */
  readonly spans: readonly Excerpt[]
  /** The targets of links, without those of images. */
  readonly links: readonly Excerpt[]
  /** The names under which links reach the headings. */
  readonly anchors: ReadonlySet<string>

  constructor(name: string, text: string) {
    this.name = name
    this.text = text
    const blocks: CodeBlock[] = []
    const spans: Excerpt[] = []
    const links: Excerpt[] = []
    const anchors = new Set<string>()
    let offset = 0
    /** Where a token begins: tokens come in the order of the text. */
    const place = (raw: string): string => {
      const found = text.indexOf(raw, offset)
      if (found >= 0) offset = found
      return `${name}:${text.slice(0, offset).split('\n').length}`
    }
    visitTokens(lexer(text), (token) => {
      if (token.type === 'code')
        blocks.push({ where: place(token.raw), text: token.text, language: token.lang ?? '' })
      if (token.type === 'codespan') spans.push({ where: place(token.raw), text: token.text })
      if (token.type === 'link') links.push({ where: place(token.raw), text: token.href })
      if (token.type === 'heading') anchors.add(anchorOf(token.text))
    })
    this.blocks = blocks
    this.spans = spans
    this.links = links
    this.anchors = anchors
  }
}

/** Reads the documents that say what is. A changelog says what was. */
export function readDocuments(): Document[] {
  const pages = readdirSync(`${CHECKOUT}docs`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`)
    .sort()
  return ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...pages].map(
    (name) => new Document(name, readFileSync(`${CHECKOUT}${name}`, 'utf8')),
  )
}

/** Calls `visit` for each token and those inside of it, in the order of the text. */
function visitTokens(tokens: readonly Token[], visit: (token: Token) => void): void {
  for (const token of tokens) {
    visit(token)
    if (token.type === 'table') {
      for (const cell of [token.header, ...token.rows].flat()) visitTokens(cell.tokens, visit)
    } else if (token.type === 'list') visitTokens(token.items, visit)
    else if ('tokens' in token && token.tokens) visitTokens(token.tokens, visit)
  }
}

/** The anchor that GitHub gives a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')
}
