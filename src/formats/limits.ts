/** No layer that a file describes may make more elements of one sample: 512 MB of float32. */
export const mostElements = 2 ** 27
