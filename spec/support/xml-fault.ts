/**
 * What keeps a text from being well-formed XML: tags that do not close, attributes without quotes,
 * signs that stand for themselves. For documents without declarations, comments and sections.
 *
 * @returns `undefined` when nothing does.
 */
export function xmlFault(document: string): string | undefined {
  const open: string[] = []
  let roots = 0
  for (const [token, isEnd, name, attributes, isEmpty] of document.trim().matchAll(TOKEN)) {
    if (name === undefined) {
      const fault = textFault(token)
      if (fault !== undefined) return fault
    } else if (isEnd) {
      if (open.pop() !== name) return `${token} closes what is not open`
    } else {
      if (!ATTRIBUTES.test(attributes ?? '')) return `the attributes of ${token} are wrong`
      if (hasTwice(attributes ?? '')) return `${token} has an attribute twice`
      if (open.length === 0 && ++roots > 1) return `${token} is a second root`
      if (!isEmpty) open.push(name)
    }
    if (name === undefined && open.length === 0) return `${token} stands outside`
  }
  if (roots === 0) return 'there is no element'
  return open.length === 0 ? undefined : `<${open.at(-1)}> is not closed`
}

const TOKEN = /<(\/)?([A-Za-z][\w:-]*)((?:[^<>"]|"[^"]*")*?)(\/)?>|[^<]+|</g
const ATTRIBUTES = /^(?:\s+[A-Za-z][\w:-]*="(?:[^<&"]|&(?:amp|lt|gt|quot|apos);)*")*\s*$/

function textFault(text: string): string | undefined {
  if (text.startsWith('<')) return '< stands alone'
  const bare = text.replaceAll(/&(?:amp|lt|gt|quot|apos);/g, '')
  return bare.includes('&') ? `& stands alone in ${JSON.stringify(text)}` : undefined
}

function hasTwice(attributes: string): boolean {
  const names = [...attributes.matchAll(/([A-Za-z][\w:-]*)="/g)].map(([, name]) => name)
  return new Set(names).size < names.length
}
