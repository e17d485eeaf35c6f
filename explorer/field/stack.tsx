import { useId } from 'preact/hooks'
import {
  canDilate,
  canStride,
  type Kind,
  kinds,
  type Layer,
  mendLayer,
  most,
  mostLayers,
  usualLayer,
} from './layers.ts'

const names: Record<Kind, string> = { conv: 'conv', max: 'max pool', average: 'avg pool', residual: 'residual' }

export interface StackProps {
  readonly layers: readonly Layer[]
  readonly onChange: (layers: readonly Layer[]) => void
}

/** The layers, from the input on: each can be changed and taken out, new ones are put at the end. */
export function Stack({ layers, onChange }: StackProps) {
  const replace = (i: number, layer: Layer) => onChange(layers.map((one, j) => (j === i ? mendLayer(layer) : one)))
  const full = layers.length >= mostLayers
  return (
    <div class="control">
      <ol class="layers" aria-label="Layers, from the input on">
        {layers.map((layer, i) => (
          <Row key={i} layer={layer} place={i + 1} onChange={(next) => replace(i, next)}>
            <button
              type="button"
              aria-label={`Take layer ${i + 1} out`}
              disabled={layers.length === 1}
              onClick={() => onChange(layers.filter((_, j) => j !== i))}
            >
              ×
            </button>
          </Row>
        ))}
      </ol>
      <p>
        <button
          type="button"
          disabled={full}
          onClick={() => onChange([...layers, layers.at(-1) ?? usualLayer('conv')])}
        >
          Add a layer
        </button>
        {full && <span class="why"> {mostLayers} are the most</span>}
      </p>
    </div>
  )
}

interface RowProps {
  readonly layer: Layer
  readonly place: number
  readonly onChange: (layer: Layer) => void
  readonly children: preact.ComponentChildren
}

function Row({ layer, place, onChange, children }: RowProps) {
  const id = useId()
  const number = (key: 'kernel' | 'stride' | 'dilation', label: string, free: boolean) => (
    <div>
      <label for={`${id}-${key}`}>
        {label}
        <span class="hidden"> of layer {place}</span>
      </label>
      <input
        id={`${id}-${key}`}
        type="number"
        min={1}
        max={most[key]}
        value={layer[key]}
        disabled={!free}
        onChange={(event) => {
          const value = Math.round(Number(event.currentTarget.value))
          if (Number.isFinite(value) && value >= 1) onChange({ ...layer, [key]: value })
          event.currentTarget.value = String(layer[key])
        }}
      />
    </div>
  )
  return (
    <li>
      <div>
        <label for={`${id}-kind`}>
          layer<span class="hidden"> {place}</span>
        </label>
        <select
          id={`${id}-kind`}
          value={layer.kind}
          onChange={(event) => onChange(usualLayer(event.currentTarget.value as Kind))}
        >
          {kinds.map((kind) => (
            <option key={kind} value={kind}>
              {names[kind]}
            </option>
          ))}
        </select>
      </div>
      {number('kernel', 'kernel', true)}
      {number('stride', 'stride', canStride(layer.kind))}
      {number('dilation', 'dilate', canDilate(layer.kind))}
      {children}
    </li>
  )
}
