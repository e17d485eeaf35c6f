import type { Outcome } from './report.ts'
import type { Settings } from './settings.ts'

export interface System {
  /** What it is, and who published it when. */
  readonly about: string
  run(settings: Settings): Promise<Outcome>
}

/** The systems of the history by name. Each is fetched when it's asked for. */
export const systems: Readonly<Record<string, System>> = {
  cells: {
    about: 'simple and complex cells (Hubel & Wiesel 1962)',
    run: async () => (await import('./cells.ts')).reproduceCells(),
  },
  fukushima1969: {
    about: 'analog threshold elements (Fukushima 1969): lines, ends, dots, curvature',
    run: async () => (await import('./fukushima1969.ts')).reproduceFukushima(),
  },
  neocognitron: {
    about: 'neocognitron (Fukushima 1980): digits learned without labels',
    run: async (settings) => (await import('./neocognitron.ts')).reproduceNeocognitron(settings),
  },
  lenet5: {
    about: 'LeNet-5 as published (LeCun et al. 1998): handwritten digits',
    run: async (settings) => (await import('./lenet5.ts')).reproduceLenet(settings),
  },
  alexnet: {
    about: 'AlexNet (Krizhevsky et al. 2012): its sizes, and its plan on small pictures',
    run: async (settings) => (await import('./alexnet.ts')).reproduceAlexnet(settings),
  },
  xception: {
    about: 'separable convolutions: Xception (Chollet 2017), MobileNet, against standard ones',
    run: async (settings) => (await import('./xception.ts')).reproduceXception(settings),
  },
  'sparse-coding': {
    about: 'sparse coding of natural images (Olshausen & Field 1996)',
    run: async (settings) => (await import('./sparse-coding.ts')).reproduceSparseCoding(settings),
  },
  audio: {
    about: 'spoken digits from the waveform (after M5, Dai et al. 2017): one dimension',
    run: async (settings) => (await import('./audio.ts')).reproduceAudio(settings),
  },
  volume: {
    about: 'shapes in space (after VoxNet, Maturana & Scherer 2015): three dimensions',
    run: async (settings) => (await import('./volume.ts')).reproduceVolume(settings),
  },
  dcgan: {
    about: 'DCGAN (Radford et al. 2016): digits made by transposed convolutions',
    run: async (settings) => (await import('./dcgan.ts')).reproduceDcgan(settings),
  },
  'context-aggregation': {
    about: 'multi-scale context aggregation (Yu & Koltun 2016)',
    run: async (settings) => (await import('./context.ts')).reproduceContext(settings),
  },
  deeplab: {
    about: 'DeepLab v1 to v3+ (Chen et al. 2015 to 2018) and its random field',
    run: async (settings) => (await import('./deeplab.ts')).reproduceDeeplab(settings),
  },
  unet: {
    about: 'U-Net (Ronneberger et al. 2015), transposed convolutions and checkerboards',
    run: async (settings) => (await import('./unet.ts')).reproduceUnet(settings),
  },
}
