import { Schema } from "effect"

/**
 * Text that means the same to everyone: without half of a character (a text cut in the middle of an emoji), which each
 * agent takes for something else or stumbles over.
 */
export const WellFormed = Schema.String.check(
  Schema.makeFilter(
    (text: string) => text.isWellFormed() || "A text may not end, or begin, in the middle of a character."
  )
)

/** A line of text for programs: no program can be started with a NUL, and none needs more than so many characters. */
export const plain = (longest: number) =>
  WellFormed.check(
    Schema.isMaxLength(longest),
    Schema.isPattern(/^[^\0]*$/, { message: "A NUL is in no text that a program takes." })
  )

/** A directory, by its path. */
export const PathText = plain(4096).check(Schema.isNonEmpty())

/** A model, as its agent calls it. */
export const ModelName = plain(200).check(Schema.isNonEmpty())
