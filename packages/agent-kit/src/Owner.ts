import { ProcessOwner } from "./ProcessOwner.ts"
import { createHash, randomBytes } from "node:crypto"

/** Whose the processes are that we start: this data directory's, by its realpath, and of this life of ours. */
export const ownerOf = (dataDirectory: string) =>
  ProcessOwner.layer({
    dataDirId: createHash("sha256").update(dataDirectory).digest("hex").slice(0, 16),
    bootId: randomBytes(8).toString("hex")
  })
