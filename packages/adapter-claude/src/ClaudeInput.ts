import type { TurnInput } from "@rejoin/core/providers/ProviderAdapter"

type Block = Readonly<Record<string, unknown>>

const blockOf = ({ data, mediaType, name }: TurnInput["attachments"][number]): Block | undefined => {
  const source = { type: "base64", media_type: mediaType, data }
  if (/^image\/(png|jpeg|gif|webp)$/.test(mediaType)) return { type: "image", source }
  if (mediaType === "application/pdf") return { type: "document", source }
  if (!mediaType.startsWith("text/") && mediaType !== "application/json") return undefined
  return { type: "text", text: `<file name="${name}">\n${Buffer.from(data, "base64").toString()}\n</file>` }
}

/** What a message holds, and the attachments that Claude cannot take. */
export const contentOf = (attachments: TurnInput["attachments"], input: string) => {
  const content: Array<Block> = []
  const left: Array<string> = []
  for (const attachment of attachments) {
    const block = blockOf(attachment)
    if (block === undefined) left.push(`${attachment.name} (${attachment.mediaType})`)
    else content.push(block)
  }
  content.push({ type: "text", text: input })
  return { content, left }
}

/** A turn as the frame that sends it, with the text as it is to be sent; or the name of the attachment that Claude cannot take. */
export const frameOf = (
  { attachments, messageId }: TurnInput,
  input: string
): { readonly frame: unknown } | { readonly unfit: string } => {
  const { content, left } = contentOf(attachments, input)
  const [unfit] = left
  if (unfit !== undefined) return { unfit }
  return {
    frame: {
      type: "user",
      uuid: messageId,
      session_id: "",
      parent_tool_use_id: null,
      message: { role: "user", content }
    }
  }
}
