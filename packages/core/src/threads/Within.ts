/** Whether a path is the directory or lies in it. Both are absolute and without links. */
export const isWithin = (directory: string, path: string): boolean =>
  path === directory || path.startsWith(directory.endsWith("/") ? directory : `${directory}/`)
