// `pnpm picture`: docs/demo.svg, a moving picture of what `npm run demo` prints, as it came.
import { spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { stripVTControlCharacters } from "node:util"

const rows = 22
const lineHeight = 20
const width = 860
/** In seconds: no line waits longer for the one before it than that, and the end is looked at for so long. */
const longest = 0.9
const rest = 4

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

/** Each line with the second in which it appears. */
function record(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "inherit"] })
    const lines = []
    let at = 0.3
    let before = Date.now()
    createInterface({ input: child.stdout }).on("line", (line) => {
      const now = Date.now()
      at += Math.min(longest, Math.max(0.06, (now - before) / 1000))
      before = now
      // Where it ran is nobody's business.
      lines.push({ at, text: line.replaceAll(/\/tmp\/rejoin-demo-\w+/g, "/tmp/demo") })
    })
    child.on("exit", (code) =>
      code === 0 ? resolve(lines) : reject(new Error(`The demo ended with ${code}.`))
    )
  })
}

const classOf = (text) => {
  if (text.startsWith("\u001b[1m")) return "head"
  if (text.startsWith("  you")) return "you"
  return text.startsWith("  agent") ? "agent" : "soft"
}

const plain = (text) => stripVTControlCharacters(text)

export const drawn = (lines) => {
  const total = (lines.at(-1)?.at ?? 0) + rest
  const percent = (at) => ((100 * at) / total).toFixed(2)
  const shown = lines
    .map(
      ({ at, text }, i) =>
        `<text class="${classOf(text)}" x="20" y="${52 + i * lineHeight}" style="animation-name:l${i}">${escaped(plain(text))}</text>\n<style>@keyframes l${i}{0%,${percent(at)}%{opacity:0}${percent(at + 0.05)}%,100%{opacity:1}}</style>`
    )
    .join("\n")
  const steps = lines
    .flatMap(({ at }, i) =>
      i < rows ? [] : [`${percent(at)}%{transform:translateY(-${(i - rows + 1) * lineHeight}px)}`]
    )
    .join("")
  const last = Math.max(0, lines.length - rows) * lineHeight
  const height = 48 + rows * lineHeight
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="A conversation survives a kill -9 of server and agent, and moves to another worktree">
<style>
text{font:13px ui-monospace,monospace;fill:#e7ebe9;white-space:pre;animation-duration:${total.toFixed(1)}s;animation-iteration-count:infinite}
.head{font-weight:700;fill:#5fd6c0}.you{fill:#f0b54d}.soft{fill:#9da8a3}
.all{animation:up ${total.toFixed(1)}s infinite step-end}
@keyframes up{0%{transform:translateY(0)}${steps}100%{transform:translateY(-${last}px)}}
@media (prefers-reduced-motion:reduce){text,.all{animation:none}.all{transform:translateY(-${last}px)}}
</style>
<rect width="${width}" height="${height}" rx="12" fill="#111413"/>
<circle cx="22" cy="18" r="5" fill="#3a4340"/><circle cx="40" cy="18" r="5" fill="#3a4340"/><circle cx="58" cy="18" r="5" fill="#3a4340"/>
<clipPath id="pane"><rect y="34" width="${width}" height="${height - 44}"/></clipPath>
<g clip-path="url(#pane)"><g class="all">
${shown}
</g></g>
</svg>
`
}

/** Runs the demo, and draws it. */
export const picture = async (root, command, args, env) => {
  const lines = await record(command, args, { cwd: root, env })
  const first = lines.findIndex(({ text }) => plain(text).startsWith("1."))
  writeFileSync(join(root, "docs/demo.svg"), drawn(lines.slice(Math.max(0, first))))
  return 0
}
