/**
 * Puts the keyboard where one goes on: into the message, after a thread was opened or an answer given. Not where that
 * would bring up a keyboard on the screen, nor away from where somebody types: a thread may take a moment to open.
 */
export const focusMessage = (): void => {
  const types = document.activeElement?.matches("input:not([type=file]), textarea, select") === true
  if (!types && matchMedia("(pointer: fine)").matches) document.getElementById("input")?.focus()
}
