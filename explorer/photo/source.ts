import { effect, signal, untracked } from '@preact/signals'
import { fetchPicture, type Picture, PictureError, readPicture } from '../shared/picture.ts'
import { startCamera } from './camera.ts'
import { photoUrls } from './photos.ts'
import { type PhotoName, photos } from './state.ts'

/** The longer side of every picture, px. */
const longest = 384

export interface Source {
  readonly picture: Picture
  /** Whose it is, or what it is. */
  readonly credit: string
  /** Of a photo of the page's; without it the picture is the user's own, and isn't in the page's address. */
  readonly name?: PhotoName
}

/** What is shown now; null until the first photo is there. */
export const source = signal<Source | null>(null)
/** Why the last one couldn't be shown. */
export const trouble = signal('')
export const filming = signal(false)

let stopCamera: (() => void) | undefined
/** Counts choices: what was asked for before the last one comes too late. */
let turn = 0

function stop(): void {
  stopCamera?.()
  stopCamera = undefined
  filming.value = false
}

async function show(load: () => Promise<Source>): Promise<void> {
  stop()
  const mine = ++turn
  try {
    const next = await load()
    if (mine !== turn) return
    source.value = next
    trouble.value = ''
  } catch (error) {
    if (mine === turn) trouble.value = error instanceof PictureError ? error.message : String(error)
  }
}

/** Shows the photo of the page's state whenever that changes. */
export const followPhoto = (name: () => PhotoName) =>
  effect(() => {
    const chosen = name()
    untracked(() => showPhoto(chosen))
  })

/** The page's photos that were shown already. */
const known = new Map<PhotoName, Picture>()

export const showPhoto = (name: PhotoName) =>
  show(async () => {
    const picture = known.get(name) ?? (await fetchPicture(photoUrls[name], longest))
    known.set(name, picture)
    return { picture, credit: `Photo: ${photos[name].credit}.`, name }
  })

export const showFile = (file: File) =>
  show(async () => ({
    picture: await readPicture(file, longest),
    credit: 'Your own picture. It stays in this page; links to it show the photo instead.',
  }))

export async function toggleCamera(): Promise<void> {
  if (filming.value) {
    stop()
    return
  }
  const mine = ++turn
  trouble.value = ''
  try {
    const end = await startCamera(longest, async (picture) => {
      source.value = { picture, credit: 'Your webcam. Nothing leaves this page.' }
      await painted()
    })
    if (mine !== turn) end()
    else {
      stopCamera = end
      filming.value = true
    }
  } catch (error) {
    trouble.value = error instanceof PictureError ? error.message : String(error)
  }
}

const painted = () => new Promise((done) => setTimeout(done, 0))
