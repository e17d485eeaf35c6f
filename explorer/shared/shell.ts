import type { PageEntry } from './pages.ts'

/** Of the page in `folder` of the site; '' is the first page. */
const up = (folder: string) => (folder === '' ? './' : '../')

export const shellHead = (folder: string) => `
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${up(folder)}icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${up(folder)}shared/style.css">
<script vite-ignore src="${up(folder)}theme.js"></script>`

export function shellHeader(folder: string, pages: readonly PageEntry[]): string {
  const links = pages.map(({ path, name, question }) => {
    const current = path === folder ? ' aria-current="page"' : ''
    return `<li><a href="${up(folder)}${path === '' ? '' : `${path}/`}" title="${question}"${current}>${name}</a></li>`
  })
  return `
<a class="skip" href="#main">Skip to the figure</a>
<header class="site">
<a class="brand" href="${up(folder)}">fovea <span>explorer</span></a>
<nav aria-label="Pages"><ul>${links.join('')}</ul></nav>
<div id="theme"></div>
</header>`
}

export const shellFooter = () => `
<footer class="site">
<p>Every number on this page is computed here by <a href="https://www.npmjs.com/package/fovea">fovea</a>;
the tests compare each picture with the library's tensor. Nothing is sent anywhere.
<span id="engine"></span></p>
</footer>`
