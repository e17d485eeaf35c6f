import { useId, useState } from 'preact/hooks'
import type { Change } from '../state.ts'

export interface SliderProps {
  readonly label: string
  readonly value: number
  readonly min: number
  readonly max: number
  readonly step?: number
  /** Said after the number: "2 px". */
  readonly unit?: string
  readonly onChange: (value: number, how: Change) => void
  /** Why it can't be changed now; it stays readable. */
  readonly why?: string
}

/** A range and the number beside it. */
export function Slider({ label, value, min, max, step = 1, unit = '', onChange, why }: SliderProps) {
  const id = useId()
  const give = (text: string, how: Change) => {
    const number = Number(text)
    if (text.trim() !== '' && Number.isFinite(number)) onChange(Math.min(Math.max(number, min), max), how)
  }
  return (
    <div class="control slider">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        aria-valuetext={`${value}${unit && ` ${unit}`}`}
        aria-describedby={why ? `${id}-why` : undefined}
        disabled={why !== undefined}
        onInput={(event) => give(event.currentTarget.value, 'drag')}
        onChange={(event) => give(event.currentTarget.value, 'commit')}
      />
      <input
        type="number"
        aria-label={`${label}${unit && `, ${unit}`}`}
        min={min}
        max={max}
        step={step}
        value={value}
        disabled={why !== undefined}
        onChange={(event) => {
          give(event.currentTarget.value, 'commit')
          event.currentTarget.value = String(value)
        }}
      />
      {why && (
        <p class="why" id={`${id}-why`}>
          {why}
        </p>
      )}
    </div>
  )
}

export interface Option<T extends string> {
  readonly value: T
  readonly label: string
  /** Why it can't be chosen now. */
  readonly why?: string | undefined
}

export interface ChoiceProps<T extends string> {
  readonly label: string
  readonly options: readonly Option<T>[]
  readonly value: T
  readonly onChange: (value: T) => void
}

/** A few options side by side. One that doesn't fit keeps its place and says why. */
export function Choice<T extends string>({ label, options, value, onChange }: ChoiceProps<T>) {
  const name = useId()
  const [told, setTold] = useState<string | undefined>()
  return (
    <fieldset class="control choice">
      <legend>{label}</legend>
      <div class="segments">
        {options.map((option) => (
          <label key={option.value} class={option.why ? 'off' : ''} title={option.why}>
            <input
              type="radio"
              name={name}
              checked={option.value === value}
              aria-disabled={option.why !== undefined}
              onChange={(event) => {
                if (option.why === undefined) {
                  setTold(undefined)
                  onChange(option.value)
                  return
                }
                setTold(option.why)
                event.currentTarget.checked = option.value === value
                const chosen = event.currentTarget.closest('.segments')?.querySelectorAll('input')
                const index = options.findIndex((other) => other.value === value)
                if (chosen?.[index]) chosen[index].checked = true
              }}
            />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
      <p class="why" role="status">
        {told}
      </p>
    </fieldset>
  )
}

/** Many options in a list. */
export function Select<T extends string>({ label, options, value, onChange }: ChoiceProps<T>) {
  const id = useId()
  return (
    <div class="control pick">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value as T)}>
        {options.map((option) => (
          <option key={option.value} value={option.value} disabled={option.why !== undefined}>
            {option.label}
            {option.why ? ` (${option.why})` : ''}
          </option>
        ))}
      </select>
    </div>
  )
}

export interface ToggleProps {
  readonly label: string
  readonly checked: boolean
  readonly onChange: (checked: boolean) => void
  readonly why?: string | undefined
}

export function Toggle({ label, checked, onChange, why }: ToggleProps) {
  const id = useId()
  return (
    <div class="control toggle">
      <input
        id={id}
        type="checkbox"
        checked={checked}
        disabled={why !== undefined}
        aria-describedby={why ? `${id}-why` : undefined}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      {why && (
        <p class="why" id={`${id}-why`}>
          {why}
        </p>
      )}
    </div>
  )
}
