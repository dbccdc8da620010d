import { Effect, Predicate, Schema } from "effect"
import { type Asked, type Dialect, ownWords, textOf, tokens, words } from "./Dialect.ts"
import type { Reply } from "./Model.ts"

const Part = Schema.Struct({
  text: Schema.optional(Schema.String),
  thought: Schema.optional(Schema.Boolean),
  functionResponse: Schema.optional(Schema.Struct({ response: Schema.optional(Schema.Unknown) }))
})

const Request = Schema.Struct({
  contents: Schema.Array(Schema.Struct({ role: Schema.optional(Schema.String), parts: Schema.Array(Part) })),
  tools: Schema.optional(
    Schema.Array(
      Schema.Struct({
        functionDeclarations: Schema.optional(Schema.Array(Schema.Struct({ name: Schema.String })))
      })
    )
  ),
  generationConfig: Schema.optional(Schema.Struct({ responseMimeType: Schema.optional(Schema.String) }))
})
type Content = (typeof Request.Type)["contents"][number]

const saidIn = ({ parts, role }: Content): ReadonlyArray<string> =>
  role === "user"
    ? parts
        .filter(({ functionResponse, text }) => functionResponse === undefined && text !== undefined)
        .map(({ text }) => ownWords(text ?? ""))
        .filter((text) => text !== "")
    : []

const resultOf = (response: unknown): string => {
  for (const name of ["output", "error"])
    if (Predicate.hasProperty(response, name) && Predicate.isString(response[name])) return response[name]
  return ""
}

/** A line of an event ends at these too for some readers, so they are escaped. */
const event = (data: unknown) =>
  `data: ${JSON.stringify(data)
    .replaceAll("\u2028", String.raw`\u2028`)
    .replaceAll("\u2029", String.raw`\u2029`)}\r\n\r\n`

const usageOf = ({ body }: Asked, reply: Reply) => {
  const promptTokenCount = tokens(body)
  const candidatesTokenCount = tokens(textOf(reply))
  return {
    promptTokenCount,
    candidatesTokenCount,
    totalTokenCount: promptTokenCount + candidatesTokenCount
  }
}

const callPart = ({ input, name }: Extract<Reply, { readonly _tag: "Call" }>, { results, said }: Asked) => ({
  functionCall: { id: `fc_${said.length}_${results.length}`, name, args: input }
})

const chunk = ({ model }: Asked, parts: ReadonlyArray<unknown>, end: object = {}) => {
  const { finishReason, ...rest } = end as { readonly finishReason?: string }
  const candidate = { index: 0, content: { role: "model", parts }, ...(finishReason && { finishReason }) }
  return { candidates: [candidate], modelVersion: model, responseId: "recall", ...rest }
}

const statuses: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL"
}

/** Google's generateContent. The classifier that an agent asks before each prompt is an aside. */
export const generateContent: Dialect = {
  path: "/v1beta/models/*",
  read: (body, url) =>
    Effect.map(Schema.decodeUnknownEffect(Request)(body), ({ contents, generationConfig, tools }): Asked => {
      const last = contents.findLastIndex((content) => saidIn(content).length > 0)
      return {
        model: /\/models\/([^:]+):/.exec(url)?.[1] ?? "scripted",
        said: contents.flatMap(saidIn),
        results: contents
          .slice(last + 1)
          .flatMap(({ parts }) => parts)
          .filter(({ functionResponse }) => functionResponse !== undefined)
          .map(({ functionResponse }) => resultOf(functionResponse?.response)),
        tools: (tools ?? []).flatMap(({ functionDeclarations = [] }) =>
          functionDeclarations.map(({ name }) => name)
        ),
        stream: url.includes(":streamGenerateContent"),
        aside: generationConfig?.responseMimeType === "application/json" || url.includes(":countTokens"),
        body
      }
    }),
  frames: function* (asked, reply) {
    const say = (text: string) => event(chunk(asked, [{ text }]))
    if (reply._tag === "Say" && reply.reasoning !== undefined)
      yield event(chunk(asked, [{ text: reply.reasoning, thought: true }]))
    for (const word of words(textOf(reply))) yield say(word)
    if (reply._tag === "Hang") return
    if (reply._tag === "Call") yield event(chunk(asked, [callPart(reply, asked)]))
    yield event(chunk(asked, [{ text: "" }], { finishReason: "STOP", usageMetadata: usageOf(asked, reply) }))
  },
  whole: (asked, reply) => {
    // What it is asked aside wants a document.
    const text = asked.aside
      ? JSON.stringify({ complexity_reasoning: "a test", complexity_score: 10 })
      : textOf(reply)
    const parts = reply._tag === "Call" ? [callPart(reply, asked)] : [{ text }]
    return {
      ...chunk(asked, parts, { finishReason: "STOP", usageMetadata: usageOf(asked, reply) }),
      totalTokens: tokens(asked.body)
    }
  },
  failure: (status, message) => ({
    error: { code: status, message, status: statuses[status] ?? "UNKNOWN" }
  })
}
