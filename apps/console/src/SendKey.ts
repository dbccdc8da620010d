/**
 * Whether a key sends what was typed. A keyboard on a screen has no other way to begin a line than Enter; one that has Ctrl
 * or ⌘ sends with it everywhere.
 */
export const sendsWith = (event: KeyboardEvent): boolean => {
  if (event.key !== "Enter" || event.isComposing) return false
  return event.ctrlKey || event.metaKey || (hasKeyboard() && !event.shiftKey)
}

export const hasKeyboard = (): boolean => matchMedia("(pointer: fine)").matches
