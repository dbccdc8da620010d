import type { TurnInput } from "@rejoin/core/providers/ProviderAdapter"

type Input = Readonly<Record<string, unknown>>

const text = (text: string): Input => ({ type: "text", text, text_elements: [] })

/** A turn as Codex takes it, or the name of the attachment that it cannot take. */
export const inputOf = ({
  attachments,
  input
}: TurnInput): { readonly input: ReadonlyArray<Input> } | { readonly unfit: string } => {
  const inputs: Array<Input> = []
  for (const { data, mediaType, name } of attachments) {
    if (mediaType.startsWith("image/")) {
      inputs.push({ type: "image", url: `data:${mediaType};base64,${data}` })
    } else if (mediaType.startsWith("text/") || mediaType === "application/json") {
      inputs.push(text(`<file name="${name}">\n${Buffer.from(data, "base64").toString()}\n</file>`))
    } else return { unfit: `${name} (${mediaType})` }
  }
  return { input: [...inputs, text(input)] }
}
