import DOMPurify from "dompurify"
import { marked } from "marked"
import { createMemo } from "solid-js"

// Whatever an agent writes is a stranger's: no script, no form, and a link that opens elsewhere.
DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node instanceof HTMLAnchorElement) {
    node.target = "_blank"
    node.rel = "noreferrer noopener"
  }
})

/** An agent's text as it means it. */
export const Markdown = (props: { readonly text: string }) => {
  const html = createMemo(() =>
    DOMPurify.sanitize(marked.parse(props.text, { async: false, gfm: true, breaks: true }), {
      FORBID_TAGS: ["form", "input", "style", "img"],
      FORBID_ATTR: ["style"]
    })
  )
  return <div class="markdown" innerHTML={html()} />
}
