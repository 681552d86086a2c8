// Labelled inputs.
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly change: (value: string) => void;
  readonly hint?: string;
  readonly type?: "text" | "password" | "number" | "search";
  readonly placeholder?: string;
  readonly required?: boolean;
  readonly list?: readonly string[];
  readonly min?: number;
  readonly max?: number;
}

export function Field({ label, value, change, hint, type = "text", list, ...more }: FieldProps) {
  const id = useId();
  return (
    <label class="field" for={id}>
      <span id={`${id}-label`}>{label}</span>
      <input
        id={id}
        aria-labelledby={`${id}-label`}
        {...(hint === undefined ? {} : { "aria-describedby": `${id}-hint` })}
        type={type as "text"}
        value={value}
        {...(list === undefined ? {} : { list: `${id}-list` })}
        autocomplete={type === "password" ? "current-password" : "off"}
        spellcheck={false}
        onInput={(event) => change(event.currentTarget.value)}
        {...more}
      />
      {list !== undefined && (
        <datalist id={`${id}-list`}>
          {list.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
      {hint !== undefined && <small id={`${id}-hint`}>{hint}</small>}
    </label>
  );
}

interface TextAreaProps {
  readonly label: string;
  readonly value: string;
  readonly change: (value: string) => void;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly rows?: number;
}

export function TextArea({ label, value, change, hint, ...more }: TextAreaProps) {
  const id = useId();
  return (
    <label class="field" for={id}>
      <span>{label}</span>
      <textarea
        id={id}
        value={value}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => change(event.currentTarget.value)}
        {...more}
      />
      {hint !== undefined && <small>{hint}</small>}
    </label>
  );
}

interface SelectProps {
  readonly label: string;
  readonly value: string;
  readonly change: (value: string) => void;
  readonly options: Readonly<Record<string, string>>;
}

export function Select({ label, value, change, options }: SelectProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={(event) => change(event.currentTarget.value)}>
        {Object.entries(options).map(([name, text]) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

interface CheckProps {
  readonly checked: boolean;
  readonly change: (checked: boolean) => void;
  readonly children: ComponentChildren;
}

export function Check({ checked, change, children }: CheckProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} onChange={(event) => change(event.currentTarget.checked)} />
      <span>{children}</span>
    </label>
  );
}

interface ChoiceProps<Name extends string> {
  readonly label: string;
  readonly value: Name;
  readonly change: (value: Name) => void;
  readonly options: Readonly<Record<Name, string>>;
}

/** Few options, all of which are seen. */
export function Choice<Name extends string>({ label, value, change, options }: ChoiceProps<Name>) {
  return (
    <fieldset class="choice" aria-label={label}>
      {(Object.entries(options) as [Name, string][]).map(([name, text]) => (
        <button key={name} type="button" aria-pressed={value === name} onClick={() => change(name)}>
          {text}
        </button>
      ))}
    </fieldset>
  );
}
