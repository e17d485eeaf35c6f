import { fitted, type Picture, PictureError, pixelsOf } from '../shared/picture.ts'

/** Gives pictures of the webcam, one after the other, until `stop` is called. Nothing leaves the page. */
export async function startCamera(longest: number, show: (picture: Picture) => Promise<void>): Promise<() => void> {
  if (!navigator.mediaDevices) throw new PictureError('webcam: the browser gives none to this page. Choose a file.')
  let stream: MediaStream
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } })
  } catch (error) {
    const refused = error instanceof DOMException && error.name === 'NotAllowedError'
    const why = refused ? 'it was not allowed. Allow it in the address bar' : 'there is none, or another program has it'
    throw new PictureError(`webcam: ${why}, or choose a file.`)
  }
  const video = document.createElement('video')
  video.muted = true
  video.srcObject = stream
  await video.play()
  let running = true
  async function next(): Promise<void> {
    if (!running) return
    if (!document.hidden && video.videoWidth > 0) {
      const { width, height } = fitted(video.videoWidth, video.videoHeight, longest)
      await show(pixelsOf(video, width, height))
    }
    requestAnimationFrame(next)
  }
  requestAnimationFrame(next)
  return () => {
    running = false
    for (const track of stream.getTracks()) track.stop()
  }
}
