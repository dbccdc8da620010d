#!/usr/bin/env node
// The command, where Node is new enough for it: an older one would only say that a module is missing.
import { enableCompileCache } from "node:module"

const [major, minor] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `rejoin needs Node 22.19 or newer, and this is ${process.versions.node} (${process.execPath}).`
  )
  process.exit(1)
}
enableCompileCache?.()
await import("../cli/dist/main.js")
