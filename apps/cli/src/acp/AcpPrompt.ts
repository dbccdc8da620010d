import type { ContentBlock } from "@agentclientprotocol/sdk"
import { InvalidInput } from "@rejoin/contracts/Errors"
import type { Attachment } from "@rejoin/contracts/Turn"
import { fenced } from "@rejoin/shown/Fence"
import { Result } from "effect"
import { fileURLToPath } from "node:url"

export interface Said {
  readonly input: string
  readonly attachments: ReadonlyArray<Attachment>
}

/** A file's path; any other address as it is. */
const placeOf = (uri: string): string => {
  try {
    return uri.startsWith("file:") ? fileURLToPath(uri) : uri
  } catch {
    return uri
  }
}

const nameOf = (uri: string | null | undefined, at: number, mediaType: string): string => {
  const last = (uri ?? "").split(/[/?#]/).findLast((part) => part !== "")
  return last ?? `attachment-${at + 1}.${mediaType.split("/")[1] ?? "bin"}`
}

/** What a client's user says: text, with what is mentioned where it is mentioned; pictures and files beside it. */
export const saidOf = (blocks: ReadonlyArray<ContentBlock>): Result.Result<Said, InvalidInput> => {
  const attachments: Array<Attachment> = []
  const texts: Array<string> = []
  const behind: Array<string> = []
  const attach = (uri: string | null | undefined, mediaType: string, data: string) =>
    attachments.push({ name: nameOf(uri, attachments.length, mediaType), mediaType, data })
  for (const block of blocks) {
    if (block.type === "text") texts.push(block.text)
    if (block.type === "resource_link") texts.push(`@${placeOf(block.uri)} `)
    if (block.type === "image") attach(block.uri, block.mimeType, block.data)
    if (block.type === "resource") {
      const { resource } = block
      if ("text" in resource) {
        texts.push(`@${placeOf(resource.uri)} `)
        behind.push(`${placeOf(resource.uri)}:\n${fenced(resource.text)}`)
      } else attach(resource.uri, resource.mimeType ?? "application/octet-stream", resource.blob)
    }
    if (block.type === "audio")
      return Result.fail(new InvalidInput({ field: "prompt", message: "Sound cannot be sent to an agent." }))
  }
  const spoken = [texts.join("").trim(), ...behind].filter((text) => text !== "").join("\n\n")
  // An agent is asked something in every turn.
  const input = spoken === "" && attachments.length > 0 ? "See what is attached." : spoken
  return input === ""
    ? Result.fail(new InvalidInput({ field: "prompt", message: "Nothing was said." }))
    : Result.succeed({ input, attachments })
}

/** What a client can do beside talking, as the protocol offers it. */
export const commands = [
  {
    name: "reset",
    description: "Begin anew with the next message; the old conversation stays in the lineage"
  },
  {
    name: "receipts",
    description: "What the last starts did with this conversation, and what was read back"
  },
  { name: "fork", description: "A new thread that goes on from here" },
  { name: "move", description: "Carry the conversation into another directory", input: { hint: "directory" } }
] as const

export type Order = { readonly name: (typeof commands)[number]["name"]; readonly argument: string }

/** An order to us in what was said; undefined where it is for the agent. */
export const orderOf = ({ attachments, input }: Said): Order | undefined => {
  const [, word, argument = ""] = /^\/(\w+)(?:\s+([^\n]*))?$/.exec(input) ?? []
  const known = commands.find(({ name }) => name === word)
  return known === undefined || attachments.length > 0
    ? undefined
    : { name: known.name, argument: argument.trim() }
}
