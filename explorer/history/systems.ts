import type { Fact } from '../shared/frame.ts'

/** What a system is shown. */
export type Shown = 'bar' | 'glyph' | 'digit' | 'nothing'

/** A system of the history: all that the page says of it. What it computes is in show.ts, under the same name. */
export interface System {
  readonly year: string
  readonly name: string
  readonly by: string
  /** What was new. */
  readonly idea: string
  /** What to look at, or to do. */
  readonly look: string
  readonly shown: Shown
  /** Measured by `fovea reproduce`, or published. */
  readonly facts: readonly Fact[]
}

/** In the order of their years. To add one: an entry here, and one in show.ts. */
export const systems = {
  cells: {
    year: '1962',
    name: 'Simple and complex cells',
    by: 'Hubel and Wiesel',
    idea: 'Cells of the cat’s visual cortex want a bar of one direction. A simple cell wants it at one place; a complex cell anywhere nearby, as if it pooled simple ones.',
    look: 'Turn the bar: only the cells of its direction answer. The end-stopped cells answer at its ends.',
    shown: 'bar',
    facts: [
      { name: 'half-width of tuning', text: '15.2 degrees (cortex: about 20)' },
      { name: 'moved by half a wavelength', text: 'simple cells keep 4% of their answer, complex ones 88%' },
    ],
  },
  fukushima1969: {
    year: '1969',
    name: 'Analog threshold elements',
    by: 'Kunihiko Fukushima',
    idea: 'Layers of elements that each see a small patch, all of a layer with the same weights, and give max(0, sum): a convolutional network with rectifiers, designed by hand.',
    look: 'Turn the figure: directions, ends and curvature are each found by a layer of their own.',
    shown: 'bar',
    facts: [
      { name: 'ends of 36 lines', text: 'both found in all, 2.2 px off at most' },
      { name: 'weights', text: 'our reconstruction: the paper’s own weren’t to be had' },
    ],
  },
  neocognitron: {
    year: '1980',
    name: 'Neocognitron',
    by: 'Kunihiko Fukushima',
    idea: 'S-layers that detect and C-layers that blur, three times over. It learns its kernels without labels: the strongest cell reinforces what it saw.',
    look: 'It learned these five digits just now, in your browser. Move the digit: the same cell of the last layer stays the strongest.',
    shown: 'glyph',
    facts: [
      { name: 'weights that learn', text: '29 472' },
      { name: 'moved by up to 1, 2, 3 px', text: 'right in 100%, 98%, 93%; without the C-cells’ blur in 44%, 16%, 9%' },
    ],
  },
  sparse: {
    year: '1996',
    name: 'Sparse coding',
    by: 'Olshausen and Field',
    idea: 'Ask that photographs be sums of as few functions as possible, and the functions that come out look like simple cells: local, oriented, of one scale.',
    look: '64 of 192 functions of 16×16 pixels that we learned from photographs. Nobody told them of edges.',
    shown: 'nothing',
    facts: [
      { name: 'fit by a Gabor function', text: 'median R² 0.90 (of 8×8 functions 0.96; of random ones 0.18)' },
      { name: 'bandwidth', text: 'median 1.17 octaves (the paper’s mean: 1.1)' },
    ],
  },
  lenet5: {
    year: '1998',
    name: 'LeNet-5',
    by: 'LeCun, Bottou, Bengio and Haffner',
    idea: 'Every kernel learned from labelled digits by gradients through all layers; it read bank cheques.',
    look: 'Choose a digit and follow it: kernels, maps, and the distance to the code of each class (nearest wins).',
    shown: 'digit',
    facts: [
      { name: 'parameters', text: '60 000, as published' },
      {
        name: 'these weights',
        text: '98.6% of 1 000 held-out digits right; 1.24% error on MNIST’s 10 000 (the paper: 0.95%)',
      },
    ],
  },
  alexnet: {
    year: '2012',
    name: 'AlexNet',
    by: 'Krizhevsky, Sutskever and Hinton',
    idea: 'The same idea, a thousand times larger, with rectifiers, dropout and two graphics cards: it halved the errors on ImageNet, and networks came back.',
    look: 'Each tile is a layer’s share: where the weights lie, and where the work is done.',
    shown: 'nothing',
    facts: [
      { name: 'parameters', text: '60 965 224: 96% of them in the three dense layers' },
      { name: 'multiply-adds', text: '724 406 816: 92% of them in the convolutions' },
    ],
  },
  dilated: {
    year: '2016',
    name: 'Context aggregation',
    by: 'Yu and Koltun',
    idea: 'Kernels with holes: each layer dilates twice as far, so that what one output sees grows exponentially, with no pooling and nothing lost.',
    look: 'How often each input pixel counts for one output, after layers of dilation 1, 1, 2, 4, 8: wide, and without gaps.',
    shown: 'nothing',
    facts: [
      { name: 'seven layers of 3×3', text: 'dilations 1, 1, 2, 4, 8, 16, 1 see 67×67 pixels; undilated 15×15' },
      { name: 'for one class map', text: '9 × C weights a layer, whatever the dilation' },
    ],
  },
  deeplab: {
    year: '2017',
    name: 'DeepLab',
    by: 'Chen, Papandreou, Schroff and Adam',
    idea: 'One map is looked at with several dilations side by side (“atrous spatial pyramid pooling”), so that objects of all sizes are caught.',
    look: 'The taps of the four 3×3 kernels of the pyramid: nine weights each, from a pinhole to a whole room.',
    shown: 'nothing',
    facts: [
      { name: 'rates of v3 at output stride 16', text: '1, 6, 12, 18' },
      { name: 'each sees', text: '3, 13, 25, 37 places across' },
    ],
  },
  xception: {
    year: '2017',
    name: 'Xception',
    by: 'François Chollet',
    idea: 'Split a convolution in two: first each channel by itself in space, then a mix of the channels at each place. Fewer weights for the same shape.',
    look: 'Which input channel feeds which output channel, and with how many weights: all with all, or one to one and then a mix.',
    shown: 'nothing',
    facts: [
      { name: 'parameters', text: '22 855 952, about as many as Inception V3' },
      { name: '3×3 from 728 to 728 channels', text: '4 769 856 weights at once, 536 536 separated' },
    ],
  },
} as const satisfies Readonly<Record<string, System>>

export type SystemId = keyof typeof systems
export const systemIds = Object.keys(systems) as SystemId[]
