#!/usr/bin/env node
// The command, where Node is new enough for it. An older one is told so: nothing may be imported before that which it
// does not have.
const [major, minor] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `rejoin needs Node 22.19 or newer, and this is ${process.versions.node} (${process.execPath}).`
  )
  process.exit(1)
}
const { enableCompileCache } = await import("node:module")
enableCompileCache()
await import("../cli/dist/main.js")
