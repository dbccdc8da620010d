import type { HLJSApi } from "highlight.js"
import { createSignal } from "solid-js"

/** Longer code is read plain: it would be coloured anew with each piece that comes. */
const longest = 20_000

const [highlighter, setHighlighter] = createSignal<HLJSApi>()
let asked = false

/** Not a part of the page's first load: it comes with the first code that is shown. */
const load = () => {
  if (asked) return
  asked = true
  void import("highlight.js/lib/common").then(({ default: hljs }) => setHighlighter(() => hljs))
}

/** Code in its colours, as HTML; undefined while they are not there, or where its language is not known. */
export const highlighted = (code: string, info: string): string | undefined => {
  const language = /^[\w+#-]+/.exec(info)?.[0].toLowerCase()
  if (language === undefined || code.length > longest) return undefined
  load()
  const hljs = highlighter()
  return hljs?.getLanguage(language) === undefined
    ? undefined
    : hljs.highlight(code, { language, ignoreIllegals: true }).value
}
