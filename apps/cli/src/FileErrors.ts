import { InvalidInput } from "@rejoin/contracts/Errors"
import type { PlatformError } from "effect"

const words: Readonly<Record<string, string>> = {
  NotFound: "there is no such file or directory",
  AlreadyExists: "it already exists",
  PermissionDenied: "you may not do that there",
  BadArgument: "it is no file",
  BadResource: "it is no file"
}

/** What is wrong with a file that the user named, in words. */
export const fileError =
  (field: string, path: string) =>
  ({ message, reason }: PlatformError.PlatformError): InvalidInput =>
    new InvalidInput({ field, message: `${path}: ${words[reason._tag] ?? causeOf(reason) ?? message}.` })

const causeOf = (reason: object): string | undefined => {
  const cause = "cause" in reason ? reason.cause : undefined
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined
  return code === "ENOSPC" ? "the disk is full" : code === "EISDIR" ? "it is a directory" : undefined
}
