import type { TurnInput } from "@rejoin/core/providers/ProviderAdapter"

type Input = Readonly<Record<string, unknown>>

const text = (text: string): Input => ({ type: "text", text, text_elements: [] })

/** An attachment as Codex takes it; undefined for one that it cannot take. */
const attached = ({ data, mediaType, name }: TurnInput["attachments"][number]) => {
  if (mediaType.startsWith("image/")) return { image: `data:${mediaType};base64,${data}` }
  return mediaType.startsWith("text/") || mediaType === "application/json"
    ? { text: `<file name="${name}">\n${Buffer.from(data, "base64").toString()}\n</file>` }
    : undefined
}

/** A turn as Codex takes it, or the name of the attachment that it cannot take. */
export const inputOf = ({
  attachments,
  input
}: TurnInput): { readonly input: ReadonlyArray<Input> } | { readonly unfit: string } => {
  const inputs: Array<Input> = []
  for (const attachment of attachments) {
    const part = attached(attachment)
    if (part === undefined) return { unfit: `${attachment.name} (${attachment.mediaType})` }
    inputs.push(part.image === undefined ? text(part.text) : { type: "image", url: part.image })
  }
  return { input: [...inputs, text(input)] }
}

/** A message as it stands in a rollout: for the model, for whoever looks at it, and what Codex cannot take. */
export const contentOf = (attachments: TurnInput["attachments"], input: string) => {
  const parts: Array<Input> = []
  const shown: Array<Input> = []
  const left: Array<string> = []
  for (const attachment of attachments) {
    const part = attached(attachment)
    if (part === undefined) left.push(attachment.name)
    else if (part.image === undefined) {
      parts.push({ type: "input_text", text: part.text })
      shown.push(text(part.text))
    } else {
      parts.push({ type: "input_image", image_url: part.image })
      shown.push({ type: "image", image_url: part.image })
    }
  }
  parts.push({ type: "input_text", text: input })
  shown.push(text(input))
  return { parts, shown, left }
}
