import type { Attachment } from "@rejoin/contracts/Turn"

interface Fitting {
  readonly text: string
  readonly images: ReadonlyArray<{ readonly mediaType: string; readonly data: string }>
}

/** What is said as a model takes it; what it cannot take by name. */
export const inputOf = (
  input: string,
  attachments: ReadonlyArray<Attachment>
): Fitting & { readonly unfit: ReadonlyArray<string> } => {
  const images: Array<Fitting["images"][number]> = []
  const texts: Array<string> = []
  const unfit: Array<string> = []
  for (const { data, mediaType, name } of attachments) {
    if (mediaType.startsWith("image/")) images.push({ mediaType, data })
    else if (mediaType.startsWith("text/") || mediaType === "application/json")
      texts.push(`<file name="${name}">\n${Buffer.from(data, "base64").toString()}\n</file>`)
    else unfit.push(`${name} (${mediaType})`)
  }
  return { text: [...texts, input].join("\n\n"), images, unfit }
}
