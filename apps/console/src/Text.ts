import type { Device } from "@rejoin/contracts/Device"
import { isAbove, type RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Thread } from "@rejoin/contracts/Thread"
import { visible } from "@rejoin/shown/Visible"

export const baseOf = (path: string): string => visible(path.slice(path.lastIndexOf("/") + 1) || path)

/** Threads of one project stand together; without a project those of one directory do. */
export const groupOf = ({ cwd, project }: Thread): string => project ?? cwd

/** While it is at work nothing can be changed about it. */
export const isWorking = ({ session }: Thread): boolean =>
  session.state === "running" || session.state === "waiting" || session.state === "starting"

/** Whether a device may use this mode; the owner may all. */
export const allows = (device: Device | undefined, mode: RuntimeMode): boolean =>
  device === undefined || !isAbove(mode, device.mode)

/** The mode, or the highest that the device may use. */
export const atMost = (device: Device | undefined, mode: RuntimeMode | undefined): RuntimeMode | undefined =>
  device === undefined || mode === undefined || allows(device, mode) ? mode : device.mode

/** A time that is to come: of today by its hour alone. */
export const soonText = (at: string): string => {
  const [then, now] = [new Date(at), new Date()]
  const hour = then.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })
  return then.toDateString() === now.toDateString()
    ? hour
    : `${hour}, ${then.toLocaleDateString([], {
        weekday: "long",
        day: "numeric",
        month: "long",
        ...(then.getFullYear() !== now.getFullYear() && { year: "numeric" })
      })}`
}

export const timeOf = (at: string): string => new Date(at).toLocaleString()
