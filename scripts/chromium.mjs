import { existsSync } from 'node:fs'

/** Where the system's own Chromium or Chrome lies; undefined where there is none. Nothing is downloaded. */
export const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
)
