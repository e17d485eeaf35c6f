import { existsSync } from 'node:fs'

/** Where the system's own Chromium or Chrome lies; undefined where there is none. Nothing is downloaded. */
export const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
)

const quiet = ['gpu', 'quic', 'background-networking', 'component-update', 'sync'].map((name) => `--disable-${name}`)

/** How Playwright starts it: nothing in it calls home. */
export const launchOptions = { executablePath: chromium, args: ['--no-sandbox', '--no-first-run', ...quiet] }
