import { StoreFailed } from "@rejoin/contracts/Errors"
import type { Attachment, AttachmentRef } from "@rejoin/contracts/Turn"
import { Effect, Option } from "effect"
import { sha256 } from "../Sha256.ts"
import type { Blob, ThreadStore } from "../store/ThreadStore.ts"

/** An attachment in two: what stands in its turn, and what is kept beside it, which only the send reads. */
export interface Split {
  readonly refs: ReadonlyArray<AttachmentRef>
  readonly blobs: ReadonlyArray<Blob>
}

/** Three bytes are four letters of base64, the last of which may be padding. */
const bytesIn = (base64: string) =>
  (base64.length / 4) * 3 - (base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0)

export const split = Effect.fn("Attachments.split")(function* (attachments: ReadonlyArray<Attachment>) {
  const parts = yield* Effect.forEach(attachments, ({ data, mediaType, name }) =>
    Effect.map(sha256(data), (hash) => ({
      ref: { name, mediaType, hash, bytes: bytesIn(data) },
      blob: { hash, data }
    }))
  )
  const whole: Split = { refs: parts.map(({ ref }) => ref), blobs: parts.map(({ blob }) => blob) }
  return whole
})

/** Whether two lists of attachments are the same files under the same names. */
export const same = (a: ReadonlyArray<AttachmentRef>, b: ReadonlyArray<AttachmentRef>): boolean =>
  a.length === b.length &&
  a.every(({ hash, mediaType, name }, index) => {
    const other = b[index]
    return other?.hash === hash && other.mediaType === mediaType && other.name === name
  })

/** What they held, as far as it is still there: for another turn that has them too. */
export const blobsOf = (store: ThreadStore["Service"], refs: ReadonlyArray<AttachmentRef>) =>
  Effect.map(
    Effect.forEach(refs, ({ hash }) =>
      Effect.map(
        store.getBlob(hash),
        Option.map((data): Blob => ({ hash, data }))
      )
    ),
    (blobs) => blobs.flatMap(Option.toArray)
  )

/** The attachments of a turn as they were sent to us. */
export const whole = (store: ThreadStore["Service"], refs: ReadonlyArray<AttachmentRef>) =>
  Effect.forEach(refs, ({ hash, mediaType, name }) =>
    Effect.flatMap(
      store.getBlob(hash),
      Option.match({
        onNone: () =>
          Effect.fail(new StoreFailed({ message: `What the attachment ${name} held is not there.` })),
        onSome: (data): Effect.Effect<Attachment> => Effect.succeed({ name, mediaType, data })
      })
    )
  )
