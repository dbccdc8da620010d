/**
 * Puts the keyboard where one goes on: into the message, after a thread was opened or an answer given. Not where that
 * would bring up a keyboard on the screen.
 */
export const focusMessage = (): void => {
  if (matchMedia("(pointer: fine)").matches) document.getElementById("input")?.focus()
}
