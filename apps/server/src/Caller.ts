import type { Device } from "@rejoin/contracts/Device"
import { DeviceNotAllowed } from "@rejoin/contracts/Errors"
import { isAbove, type RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { Context, Effect } from "effect"

/** Who asks: a device of the owner's, or the owner, who may all. */
export const Caller = Context.Reference<Device | undefined>("@rejoin/server/Caller", {
  defaultValue: () => undefined
})

/** What no device may, whatever it was let in with. */
export const ownersAlone = ({ name }: Device): DeviceNotAllowed =>
  new DeviceNotAllowed({
    device: name,
    message: `${name} may not do this: it is the owner's alone.`,
    hint: "Do it on the server's own machine, or in a browser that its console link let in."
  })

/** Refuses a device what it was not let in for: a mode that is higher than its own. */
export const allowMode = Effect.fnUntraced(function* (mode: RuntimeMode) {
  const device = yield* Caller
  if (device === undefined || !isAbove(mode, device.mode)) return
  return yield* new DeviceNotAllowed({
    device: device.name,
    message: `${device.name} may do nothing in ${mode}: it was let in with ${device.mode} at most.`,
    hint: "It can read here, and stop what runs. With a higher mode it is let in anew: rejoin pair --mode."
  })
})
