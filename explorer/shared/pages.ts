/** The pages in the order of the list at the top of each. `path` is the folder; '' is the first page. */
export interface PageEntry {
  readonly path: string
  readonly name: string
  readonly question: string
}

export const pages: readonly PageEntry[] = [
  { path: '', name: 'Overview', question: 'What is a convolutional layer?' },
  { path: 'slide', name: 'Slide', question: 'What is one number in a feature map?' },
  { path: 'shape', name: 'Shape', question: 'How big is the output, and which inputs feed it?' },
  { path: 'borders', name: 'Borders', question: 'What happens at the edge?' },
  { path: 'photo', name: 'Photo', question: 'What does a kernel detect?' },
  { path: 'channels', name: 'Channels', question: 'What does separable save?' },
  { path: 'field', name: 'Field', question: 'How far does one unit see?' },
  { path: 'train', name: 'Train', question: 'Where do kernels come from?' },
  { path: 'inspect', name: 'Inspect', question: 'What is inside this model?' },
  { path: 'history', name: 'History', question: 'Where did this come from?' },
]
