import type { Attachment } from "@rejoin/contracts/Turn"

/** A file as it is sent: its type as the browser knows it, its content in base64. */
export const read = async (file: File): Promise<Attachment> => {
  const bytes = new Uint8Array(await file.arrayBuffer())
  let binary = ""
  for (let at = 0; at < bytes.length; at += 0x8000)
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return {
    name: file.name || "pasted",
    mediaType: file.type || "application/octet-stream",
    data: btoa(binary)
  }
}

/** What is said where nothing else is. */
export const namesOf = (files: ReadonlyArray<File>): string => files.map(({ name }) => name).join(", ")

export const sizeOf = (bytes: number): string =>
  bytes < 1024
    ? `${bytes} B`
    : bytes < 1024 * 1024
      ? `${(bytes / 1024).toFixed(0)} kB`
      : `${(bytes / 1024 / 1024).toFixed(1)} MB`
