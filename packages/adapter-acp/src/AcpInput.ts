import type { TurnInput } from "@rejoin/core/providers/ProviderAdapter"

type Block = Readonly<Record<string, unknown>>

/**
 * What is said as blocks of a prompt, with its text as the agent writes it down; or what it cannot take. Files go in the
 * text: what is only named is read by some agents and not by others.
 */
export const blocksOf = (
  { attachments, input }: Pick<TurnInput, "attachments" | "input">,
  { escapes, images }: { readonly escapes: boolean; readonly images: boolean }
): { readonly blocks: ReadonlyArray<Block>; readonly text: string } | { readonly unfit: string } => {
  const pictures: Array<Block> = []
  const files: Array<string> = []
  for (const { data, mediaType, name } of attachments) {
    if (mediaType.startsWith("image/") && images) pictures.push({ type: "image", mimeType: mediaType, data })
    else if (mediaType.startsWith("text/") || mediaType === "application/json")
      files.push(`<file name="${name}">\n${Buffer.from(data, "base64").toString()}\n</file>`)
    else return { unfit: `${name} (${mediaType})` }
  }
  const text = [...files, input].join("\n\n")
  // An empty text before it keeps what begins like a command of the agent's from being one.
  const isCommand = escapes && /^\s*[/$!]/.test(text)
  return {
    text,
    blocks: [...(isCommand ? [{ type: "text", text: "" }] : []), { type: "text", text }, ...pictures]
  }
}
