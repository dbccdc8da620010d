import { visible } from "@rejoin/shown/Visible"
import DOMPurify from "dompurify"
import { Marked } from "marked"
import { createMemo } from "solid-js"
import { highlighted } from "./Highlighting.ts"

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    code: ({ lang, text }) =>
      `<figure><figcaption><span>${escaped(lang ?? "")}</span><button type="button" class="copy small">Copy</button></figcaption><pre><code>${highlighted(text, lang ?? "") ?? escaped(text)}</code></pre></figure>`,
    // Nothing is fetched from anywhere: an image is a link to it.
    image: ({ href, text }) => `<a href="${escaped(href)}">${escaped(text === "" ? href : text)}</a>`,
    // What a model writes as HTML is shown as it stands, but for a few words of it that lay out text: a button or a
    // dialog that looks like ours would be pressed as ours.
    html: ({ text }) =>
      /^<\/?(?:br|kbd|sub|sup|details|summary)\s*\/?>\s*$/i.test(text) ? text : escaped(text),
    // In place of its bullet. What is half done is told by `-` (PlanText.ts).
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
    listitem(item) {
      const inner = this.parser.parse(item.tokens)
      const doing = inner.replace(/^(<p>)?\[-\] /, "$1◪ ")
      const isTask = item.task || doing !== inner
      return `<li${isTask ? ' class="task"' : ""}>${doing}</li>\n`
    }
  }
})

// What it writes looks like nothing of ours.
DOMPurify.addHook("uponSanitizeAttribute", (_, attribute) => {
  if (
    attribute.attrName === "class" &&
    attribute.attrValue !== "copy small" &&
    attribute.attrValue !== "task" &&
    !/^hljs-[\w-]+(?: [\w-]+_)*$/.test(attribute.attrValue)
  )
    attribute.keepAttr = false
})

// Whatever an agent writes is a stranger's: no script, no form, and a link that opens elsewhere.
DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node instanceof HTMLAnchorElement) {
    node.target = "_blank"
    node.rel = "noreferrer noopener"
  }
})

const copy = async (button: HTMLButtonElement) => {
  const text = button.closest("figure")?.querySelector("code")?.textContent ?? ""
  const told = await navigator.clipboard.writeText(text).then(
    () => "Copied",
    () => "Not copied"
  )
  button.textContent = told
}

/** An agent's text as it means it. */
export const Markdown = (props: { readonly text: string }) => {
  const html = createMemo(() =>
    DOMPurify.sanitize(marked.parse(visible(props.text), { async: false }), {
      USE_PROFILES: { html: true },
      FORBID_TAGS: [
        "form",
        "input",
        "textarea",
        "select",
        "style",
        "img",
        "picture",
        "source",
        "video",
        "audio"
      ],
      FORBID_ATTR: ["style", "id", "name"]
    })
  )
  return (
    <div
      class="markdown"
      innerHTML={html()}
      onClick={({ target }) => {
        if (target instanceof HTMLButtonElement && target.classList.contains("copy")) void copy(target)
      }}
    />
  )
}
