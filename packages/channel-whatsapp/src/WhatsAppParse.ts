import { ChatKey, type Inbound, type RemoteFile } from "@rejoin/channels/Inbound"
import { Option, Schema } from "effect"
import { outsideWindow } from "./WhatsAppFailure.ts"

export const keyOf = (number: string, person: string): ChatKey => ChatKey.make(`whatsapp:${number}:${person}`)

export const personOf = (key: ChatKey): string => key.split(":")[2] ?? ""

const Media = Schema.Struct({
  id: Schema.String,
  mime_type: Schema.optional(Schema.String),
  filename: Schema.optional(Schema.String),
  caption: Schema.optional(Schema.String)
})

const Message = Schema.Struct({
  from: Schema.String,
  id: Schema.String,
  timestamp: Schema.String,
  type: Schema.String,
  text: Schema.optional(Schema.Struct({ body: Schema.String })),
  image: Schema.optional(Media),
  video: Schema.optional(Media),
  audio: Schema.optional(Media),
  document: Schema.optional(Media),
  interactive: Schema.optional(
    Schema.Struct({
      button_reply: Schema.optional(Schema.Struct({ id: Schema.String })),
      list_reply: Schema.optional(Schema.Struct({ id: Schema.String }))
    })
  )
})

const Status = Schema.Struct({
  id: Schema.String,
  status: Schema.String,
  recipient_id: Schema.optional(Schema.String),
  errors: Schema.optional(
    Schema.Array(Schema.Struct({ code: Schema.Finite, title: Schema.optional(Schema.String) }))
  ),
  biz_opaque_callback_data: Schema.optional(Schema.String)
})

/** What Meta sends: https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/payload-examples */
const Envelope = Schema.Struct({
  entry: Schema.Array(
    Schema.Struct({
      changes: Schema.Array(
        Schema.Struct({
          value: Schema.Struct({
            metadata: Schema.optional(Schema.Struct({ phone_number_id: Schema.String })),
            contacts: Schema.optional(
              Schema.Array(
                Schema.Struct({
                  wa_id: Schema.String,
                  profile: Schema.optional(Schema.Struct({ name: Schema.String }))
                })
              )
            ),
            messages: Schema.optional(Schema.Array(Schema.Unknown)),
            statuses: Schema.optional(Schema.Array(Schema.Unknown))
          })
        })
      )
    })
  )
})
const decodeEnvelope = Schema.decodeUnknownOption(Schema.fromJsonString(Envelope))
const decodeMessage = Schema.decodeUnknownOption(Message)
const decodeStatus = Schema.decodeUnknownOption(Status)

const filesOf = ({ audio, document, id, image, video }: typeof Message.Type): ReadonlyArray<RemoteFile> =>
  Object.entries({ image, video, audio, document }).flatMap(([kind, media]) =>
    media === undefined
      ? []
      : [
          {
            id: media.id,
            name:
              media.filename ??
              `${kind}-${id.slice(-8).replaceAll(/\W/g, "")}.${(media.mime_type ?? "").split(/[/;]/)[1] ?? "bin"}`,
            mediaType: media.mime_type ?? "application/octet-stream",
            bytes: null
          }
        ]
  )

export interface Told {
  /** In the order in which it was said, as far as whole seconds tell. */
  readonly inbound: ReadonlyArray<Inbound>
  /** Which of our marks have become which message. */
  readonly arrived: ReadonlyArray<{ readonly mark: string; readonly id: string }>
}

/** What a webhook of Meta's says to this number; undefined where it is none. */
export const toldIn = (body: string, number: string): Told | undefined => {
  const envelope = Option.getOrUndefined(decodeEnvelope(body))
  if (envelope === undefined) return undefined
  const values = envelope.entry
    .flatMap(({ changes }) => changes.map(({ value }) => value))
    .filter(({ metadata }) => metadata === undefined || metadata.phone_number_id === number)
  const inbound = values.flatMap(({ contacts = [], messages = [] }) =>
    messages
      .flatMap((message) => Option.toArray(decodeMessage(message)))
      .toSorted((a, b) => Number(a.timestamp) - Number(b.timestamp))
      .flatMap((message): ReadonlyArray<Inbound> => {
        const { from, id, interactive, text } = message
        const name = contacts.find(({ wa_id }) => wa_id === from)?.profile?.name ?? "somebody"
        const about = { chat: keyOf(number, from), sender: { id: from, name }, groups: [], message: id }
        const button = interactive?.button_reply?.id ?? interactive?.list_reply?.id
        if (button !== undefined) return [{ _tag: "Pressed", ...about, button, receipt: id }]
        const files = filesOf(message)
        const { audio, document, image, video } = message
        const said = text?.body ?? (image ?? video ?? audio ?? document)?.caption ?? ""
        return said === "" && files.length === 0
          ? []
          : [{ _tag: "Said", ...about, text: said, addressed: true, files }]
      })
  )
  const statuses = values.flatMap(({ statuses = [] }) =>
    statuses.flatMap((status) => Option.toArray(decodeStatus(status)))
  )
  const arrived = statuses.flatMap(({ biz_opaque_callback_data: mark, id, status }) =>
    mark === undefined || status === "failed" ? [] : [{ mark, id }]
  )
  // Much of what Meta does not deliver, it has taken first.
  const undelivered = statuses.flatMap(
    ({ errors = [], id, recipient_id: person, status }): ReadonlyArray<Inbound> => {
      if (status !== "failed" || person === undefined) return []
      const [error] = errors
      const why = `WhatsApp: ${error?.title ?? "it did not say why"} (${error?.code ?? "no code"})`
      return [
        {
          _tag: "Undelivered",
          chat: keyOf(number, person),
          remote: id,
          why,
          later: String(error?.code) === outsideWindow
        }
      ]
    }
  )
  return { inbound: [...inbound, ...undelivered], arrived }
}
