import { createRequire } from 'node:module'
import { Command, InvalidArgumentError, Option } from 'commander'
import { setThreads, tune } from '../index.ts'
import { models } from '../models/index.ts'
import { addBuild } from './build.ts'
import { type ConvCommand, convCommand } from './conv.ts'
import { addConvert } from './convert.ts'
import { type EvaluateCommand, evaluateCommand } from './evaluate.ts'
import { type ExplainCommand, explainCommand } from './explain.ts'
import { type ExploreCommand, exploreCommand } from './explore.ts'
import { type PredictCommand, predictCommand } from './predict.ts'
import { type QuantizeCommand, quantizeCommand } from './quantize.ts'
import { systems } from './reproduce/systems.ts'
import { type ReproduceCommand, reproduceCommand } from './reproduce.ts'
import { showCommand } from './show.ts'
import { startCommand } from './start.ts'
import type { Terminal } from './terminal.ts'
import { type TrainCommand, trainCommand } from './train.ts'

const whole = (least: number) => (text: string) => {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
    throw new InvalidArgumentError(`It must be a whole number >= ${least}.`)
  return value
}

function positive(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('It must be a number > 0.')
  return value
}

function numbers(text: string): number[] {
  const list = text.split(',').map(Number)
  if (text.trim() === '' || !list.every(Number.isFinite)) throw new InvalidArgumentError('Give numbers: 104,117,123.')
  return list
}

const examples = (...lines: string[]) => `\nExamples:\n${lines.map((line) => `  $ fovea ${line}`).join('\n')}\n`

const dataText = 'mnist, fashion-mnist, a folder of IDX files, or a folder with one folder of images for each class'

type Report = (code: number) => void

function addTrain(program: Command, terminal: Terminal, done: Report): void {
  program
    .command('train')
    .description('Train a network and save it; Ctrl-C leaves a checkpoint')
    .argument('<network>', `one of ${Object.keys(models).join(', ')}; with --from the data`)
    .option('-d, --data <name>', dataText)
    .option('--from <model.onnx>', 'train a new last layer on an imported model, whose weights stay')
    .option('--cut <node>', 'where the imported model ends')
    .option('--unfreeze', 'train the weights of the imported model, too')
    .option('--mean <numbers>', 'what it takes from each channel of 0..255', numbers)
    .option('--std <numbers>', 'what it divides each channel by (default: 255)', numbers)
    .option('--bgr', 'it takes blue first')
    .option('-e, --epochs <n>', 'how often to go through the data', whole(1))
    .option('-b, --batch-size <n>', 'samples of one step', whole(1))
    .option('-l, --learning-rate <rate>', 'at the start; the schedule lowers it', positive)
    .option('--optimizer <name>', 'adam, adamW, sgd, rmsProp, ...')
    .option('-s, --seed <n>', 'of first weights, order and augmentation', whole(0))
    .option('--augment', 'shift and turn the training pictures by chance')
    .option('-o, --output <file>', 'file of the trained model (default: runs/<network>.safetensors)')
    .option('-r, --resume [file]', 'go on from a checkpoint (default: the one beside the output)')
    .addHelpText(
      'after',
      examples(
        'train lenet5',
        'train lenet5 --data fashion-mnist --epochs 10 --augment --output runs/fashion.safetensors',
        'train vgg-like --data photos --optimizer sgd --learning-rate 0.05',
        'train lenet5 --resume',
        'train --from squeezenet.onnx --cut fire9/concat photos',
      ),
    )
    .action(async (name: string, options: TrainCommand) => done(await trainCommand(name, options, terminal)))
}

function addUses(program: Command, terminal: Terminal, done: Report): void {
  program
    .command('evaluate')
    .description('Loss, accuracy and confusion matrix of a trained model')
    .argument('<model>', 'file of a model or checkpoint')
    .option('-d, --data <name>', `${dataText} (default: what it was trained on)`)
    .option('-b, --batch-size <n>', 'samples at once', whole(1))
    .addHelpText('after', examples('evaluate runs/lenet5.safetensors', 'evaluate model.safetensors --data photos'))
    .action(async (path: string, options: EvaluateCommand) => done(await evaluateCommand(path, options, terminal)))
  program
    .command('predict')
    .description('The most probable classes of image files')
    .argument('<model>', 'file of a model or checkpoint, or an ONNX model')
    .argument('<image...>', 'PNG or JPEG files, brought to the size and colours that the model takes')
    .option('-t, --top <n>', 'how many classes to print (default: 3)', whole(1))
    .option('--draw', 'draw what the model sees')
    .option('--labels <file>', 'ONNX: names of the classes, a line each or JSON')
    .option('--mean <numbers>', 'ONNX: taken from each channel, of 0..255: one number or three (default: 0)', numbers)
    .option('--std <numbers>', 'ONNX: what each channel is divided by (default: 255)', numbers)
    .option('--bgr', 'ONNX: blue first')
    .addOption(new Option('--invert', 'dark for light and light for dark (default: decided by the border)'))
    .addOption(new Option('--no-invert', 'take the image as it is').default(undefined))
    .addHelpText(
      'after',
      examples(
        'predict runs/lenet5.safetensors digit.png',
        'predict runs/lenet5.safetensors --draw --top 1 *.png',
        'predict squeezenet.onnx --labels imagenet.txt --mean 104,117,123 --std 1 --bgr bird.png',
      ),
    )
    .action(async (path: string, images: string[], options: PredictCommand) =>
      done(await predictCommand(path, images, options, terminal)),
    )
}

function addQuantize(program: Command, terminal: Terminal, done: Report): void {
  program
    .command('quantize')
    .description('Make an int8 model of a float32 one: a quarter of the size; measures what it costs')
    .argument('<model>', 'an ONNX model that takes pictures, or the file of a trained model')
    .argument('<data>', `${dataText}; ranges come from its training part, accuracy from its test part`)
    .option('-o, --output <file>', 'default: beside the model, NAME.int8.onnx')
    .option('--samples <n>', 'training pictures to take ranges from (default: 256)', whole(1))
    .option('--cut <percent>', 'share of values that ranges leave out at either end (default: 0)', positive)
    .option('--mean <numbers>', 'taken from each channel, of 0..255: one number or three (default: 0)', numbers)
    .option('--std <numbers>', 'what each channel is divided by (default: 255)', numbers)
    .addHelpText(
      'after',
      examples('quantize runs/lenet5.safetensors mnist -o lenet5.int8.onnx', 'quantize cntk.onnx mnist --std 1'),
    )
    .action(async (path: string, data: string, options: QuantizeCommand) =>
      done(await quantizeCommand(path, data, options, terminal)),
    )
}

function addViews(program: Command, terminal: Terminal, done: Report): void {
  program
    .command('show')
    .description("A PNG of what each layer makes of a picture: the layers' kernels and maps")
    .argument('<model>', "a model's file")
    .argument('<image>', 'a PNG or JPEG')
    .option('-o, --output <file>', 'default: beside the image, NAME.layers.png')
    .addHelpText('after', examples('show runs/lenet5.safetensors digit.png -o layers.png'))
    .action(async (path: string, image: string, options: { output?: string }) =>
      done(await showCommand(path, image, options, terminal)),
    )
  program
    .command('reproduce')
    .description('Build, train and measure a system from the history of convolutional networks, beside its paper')
    .argument(
      '<system>',
      Object.entries(systems)
        .map(([name, { about }]) => `${name}: ${about}`)
        .join('; '),
    )
    .option('-q, --quick', 'smaller, in 20 seconds at most')
    .option('-o, --out <folder>', 'for the report, its pictures and weights (default: runs/SYSTEM)')
    .option('-d, --data <folder>', 'holds the data sets, one folder each (default: FOVEA_DATA)')
    .addHelpText(
      'after',
      examples('reproduce cells', 'reproduce sparse-coding --quick', 'reproduce deeplab --data data'),
    )
    .action(async (name: string, options: ReproduceCommand) => done(await reproduceCommand(name, options, terminal)))
  program
    .command('explain')
    .description('What each layer computes, by which algorithm and why, and what it takes')
    .argument('<model>', `a model's file, or one of ${Object.keys(models).join(', ')}`)
    .option('-b, --batch-size <n>', 'samples of a batch (default: 1)', whole(1))
    .option('--time', 'measure every layer')
    .option('--json', 'everything as JSON, for programs')
    .addHelpText('after', examples('explain lenet5', 'explain runs/lenet5.safetensors --batch-size 64 --time'))
    .action(async (name: string, options: ExplainCommand) => done(await explainCommand(name, options, terminal)))
  program
    .command('conv')
    .description('Every stage of one convolution')
    .argument('<convolution>', "for example 'n1 56x56 c64 -> 64 k3 s1 p1'")
    .option('--show <stages>', 'of spec,plan,candidates,kernel,wat (default: spec,plan)')
    .option('--operation <name>', 'output, inputGradient or kernelGradient (default: all three)')
    .option('--precision <name>', 'direct, high or fast: the rounding error allowed (default: fast)')
    .option('--fft', 'let it take the Fourier transform too, as fovea/fft does')
    .option('--check', 'compare with the reference loops')
    .option('--time', 'measure against the peak of multiply-adds')
    .addHelpText(
      'after',
      examples(
        'conv "n1 56x56 c64 -> 64 k3 s1 p1" --show spec,plan,kernel,wat --check --time',
        'conv "n1 28x28 c128 -> 128 k3 p1" --operation output --show candidates --time',
        'conv "n8 32x32 c3 -> 16 k5 s2 psame" --operation kernelGradient --show plan',
        'conv "transposed n1 7x7 c64 -> 32 k4 s2 p1" --time',
      ),
    )
    .action(async (text: string, options: ConvCommand) => {
      done((await convCommand(text, options, terminal.print)) ? 0 : 1)
    })
  program
    .command('explore')
    .description('Pages in your browser that show what a convolution does, computed there; nothing leaves the computer')
    .option('-p, --port <n>', 'default: any that is free', whole(1))
    .option('--no-open', 'print the address only')
    .addHelpText('after', examples('explore', 'explore --port 8080 --no-open'))
    .action(async (options: ExploreCommand) => done(await exploreCommand(options, terminal)))
  program
    .command('models')
    .description('Names of the networks')
    .addHelpText('after', examples('models'))
    .action(() => {
      for (const name of Object.keys(models)) terminal.print(name)
      done(0)
    })
}

/** The command line. `done` is given the exit code of the command that ran. */
export function foveaProgram(terminal: Terminal, done: Report): Command {
  const { version } = createRequire(import.meta.url)('fovea/package.json') as { version: string }
  const program = new Command('fovea')
    .description('Convolutional networks: train, measure, use and explain them')
    .version(version)
    .option('--threads <n>', 'threads to compute on (default: one for each core); results are the same', whole(1))
    .option('--tune', 'measure once what this machine is fastest at, and keep it; results are the same')
    .hook('preAction', async (root) => {
      const { threads, tune: measures } = root.opts() as { threads?: number; tune?: true }
      if (threads !== undefined) setThreads(threads)
      if (measures) await tune()
    })
    .exitOverride()
    .showHelpAfterError('(--help lists what can be given)')
  addTrain(program, terminal, done)
  addUses(program, terminal, done)
  addQuantize(program, terminal, done)
  addViews(program, terminal, done)
  addConvert(program, terminal, done, numbers)
  addBuild(program, terminal, done, whole(1))
  program
    .command('start')
    .description('Train LeNet-5 on MNIST, measure it, and show digits with what it takes them for')
    .option('-r, --resume', 'go on from the checkpoint that Ctrl-C left')
    .addHelpText('after', examples('start', 'start --resume'))
    .action(async (options: { resume?: true }) => done(await startCommand(options, terminal)))
  return program
}
