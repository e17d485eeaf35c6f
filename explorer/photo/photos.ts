import astronaut from './astronaut.webp?url'
import camera from './camera.webp?url'
import chelsea from './chelsea.webp?url'
import coffee from './coffee.webp?url'
import type { PhotoName } from './state.ts'

/** Where the photos lie. */
export const photoUrls: Record<PhotoName, string> = { coffee, chelsea, camera, astronaut }
