import ArrowDown from "lucide-solid/icons/arrow-down"
import ArrowUp from "lucide-solid/icons/arrow-up"
import Brain from "lucide-solid/icons/brain"
import ChevronLeft from "lucide-solid/icons/chevron-left"
import Ellipsis from "lucide-solid/icons/ellipsis"
import FilePen from "lucide-solid/icons/file-pen"
import Folder from "lucide-solid/icons/folder"
import GitBranch from "lucide-solid/icons/git-branch"
import GitFork from "lucide-solid/icons/git-fork"
import Paperclip from "lucide-solid/icons/paperclip"
import Pencil from "lucide-solid/icons/pencil"
import Plus from "lucide-solid/icons/plus"
import ShieldAlert from "lucide-solid/icons/shield-alert"
import ShieldCheck from "lucide-solid/icons/shield-check"
import ShieldX from "lucide-solid/icons/shield-x"
import Square from "lucide-solid/icons/square"
import Terminal from "lucide-solid/icons/terminal"
import Wrench from "lucide-solid/icons/wrench"
import X from "lucide-solid/icons/x"
import { Dynamic } from "solid-js/web"

const icons = {
  attach: Paperclip,
  back: ChevronLeft,
  branch: GitBranch,
  change: FilePen,
  close: X,
  command: Terminal,
  down: ArrowDown,
  edit: Pencil,
  folder: Folder,
  fork: GitFork,
  more: Ellipsis,
  new: Plus,
  proved: ShieldCheck,
  refused: ShieldX,
  send: ArrowUp,
  stop: Square,
  thought: Brain,
  tool: Wrench,
  warned: ShieldAlert
} as const

export type IconName = keyof typeof icons

/** A sign beside words, or in a button that says in words what it does to whoever cannot see it. */
export const Icon = (props: { readonly name: IconName }) => (
  <Dynamic component={icons[props.name]} class="icon" size={16} aria-hidden="true" />
)
