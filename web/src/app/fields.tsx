// One field of the form: its control, what it is about, what is wrong with it.
import { useId } from 'preact/hooks';
import { expectation, fromStep, quantity, span, steps, toStep, withValue } from './schema';
import type { Field } from './schema';
import { catalogue, edit, setField } from './state';
import type { Pin, Variant } from './state';
import type { Diagnostic } from './api';
import { remove } from './yaml/edit';
import { at, lineOf, written } from './yaml/tree';
import type { Node, Path } from './yaml/tree';

export const named = (step: string | number) => String(step).replaceAll('_', ' ');
const same = (a: Path, b: Path) => a.join('\n') === b.join('\n');

/** Errors that lie inside of a value (or at its key, where it is absent or not known). */
export function errorsOf(v: Variant, node: Node | undefined): Diagnostic[] {
  if (!node || !v.errors.value.length) return [];
  const text = v.text.value;
  const [first, last] = [lineOf(text, node.start), lineOf(text, node.end)];
  const column = node.start - text.lastIndexOf('\n', node.start - 1);
  const end = node.end - text.lastIndexOf('\n', node.end - 1);
  return v.errors.value.filter(
    (e) =>
      (e.line > first || (e.line === first && e.column >= column - 1)) &&
      (e.line < last || (e.line === last && e.column <= end)),
  );
}

export function valueText(v: Variant, node: Node | undefined): string {
  if (!node || node.kind === 'absent') return '';
  return node.kind === 'scalar' ? node.text : written(v.text.value, node);
}

const choicesOf = (field: Field | undefined) =>
  field?.kind === 'catalogue' ? (catalogue.value[field.catalogue] ?? []) : (field?.choices ?? []);

/** A number or a choice beside the results. The range of a slider is fixed here: it must not run away
    under the hand. */
export function pin(v: Variant, path: Path, field: Field | undefined) {
  const q = quantity(valueText(v, at(v.tree.value, path)));
  const range = q ? span(q, field) : choicesOf(field).length ? { low: 0, high: 0, log: false } : null;
  if (range) v.pins.value = [...v.pins.value.filter((p) => !same(p.path, path)), { path, ...range }];
}

export function unpin(v: Variant, path: Path) {
  v.pins.value = v.pins.value.filter((p) => !same(p.path, path));
}

/** Whether numbers of a field are whole ones: counts of things, in the schema's words. */
const wholes = new Set(['system', 'rack', 'node', 'GPU', 'port', 'unit']);
export const whole = (field: Field | undefined) => field?.kind === 'integer' || wholes.has(field?.unit ?? '');

interface ControlProps {
  v: Variant;
  path: Path;
  field: Field;
  id: string;
  describedBy: string;
  invalid: boolean;
}

function Control({ v, path, field, id, describedBy, invalid }: ControlProps) {
  const value = valueText(v, at(v.tree.value, path));
  const commit = (event: Event) => {
    const next = (event.currentTarget as HTMLInputElement | HTMLSelectElement).value.trim();
    if (next === value) return;
    if (next === '') edit(v, remove(v.text.value, path), path.join('.'));
    else setField(v, path, next);
  };
  const common = {
    id,
    'aria-describedby': describedBy || undefined,
    'aria-invalid': invalid || undefined,
    onChange: commit,
  };
  const choices = choicesOf(field);
  if (choices.length) {
    const shown = value && !choices.includes(value) ? [value, ...choices] : choices;
    return (
      <select {...common} value={value}>
        {!value && <option value="">choose</option>}
        {shown.map((choice) => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </select>
    );
  }
  return (
    <input
      {...common}
      type="text"
      value={value}
      autocomplete="off"
      spellcheck={false}
      placeholder={field.kind === 'date' ? '2027-06-30' : field.kind === 'quantity' ? field.unit : ''}
    />
  );
}

export function Row({ v, path, field, required }: { v: Variant; path: Path; field: Field; required: boolean }) {
  const id = useId();
  const node = at(v.tree.value, path);
  const errors = errorsOf(v, node);
  const pinned = v.pins.value.some((p) => same(p.path, path));
  const numeric = (field.kind === 'quantity' || field.kind === 'integer') && quantity(valueText(v, node)) !== null;
  const pinnable = numeric || (choicesOf(field).length > 0 && node !== undefined);
  const name = named(path.at(-1) ?? '');
  return (
    <div class="row" data-path={path.join('.')}>
      <label for={id}>{name}</label>
      <div class="control">
        <Control v={v} path={path} field={field} id={id} describedBy={`${id}a`} invalid={errors.length > 0} />
        {pinnable && (
          <button
            type="button"
            class="icon"
            aria-pressed={pinned}
            title={pinned ? 'Take away from the results' : 'Put beside the results'}
            aria-label={`${numeric ? 'Slider' : 'Choice'} for ${name} beside the results`}
            onClick={() => (pinned ? unpin(v, path) : pin(v, path, field))}
          >
            ⇔
          </button>
        )}
        {!required && (
          <button
            type="button"
            class="icon"
            title="Take out"
            aria-label={`Take out ${name}`}
            onClick={() => takeOut(v, path)}
          >
            ×
          </button>
        )}
      </div>
      <p id={`${id}a`} class="about">
        {errors.map((e) => (
          <strong class="bad" key={e.message}>
            {e.message}
            {e.hint && ` (${e.hint})`}.{' '}
          </strong>
        ))}
        {required && (!node || node.kind === 'absent') && <strong class="bad">Needed. </strong>}
        {[field.about, expectation(field)].filter(Boolean).join('. ')}
      </p>
    </div>
  );
}

export function takeOut(v: Variant, path: Path) {
  unpin(v, path);
  v.drafts.value = v.drafts.value.filter((draft) => draft !== path.join('\n'));
  edit(v, remove(v.text.value, path));
}

/** A slider over a number of the scenario and the number itself, or its choices. */
export function Slider({
  v,
  pin: one,
  field,
  also,
}: {
  v: Variant;
  pin: Pin;
  field: Field | undefined;
  also?: string;
}) {
  const id = useId();
  const value = valueText(v, at(v.tree.value, one.path));
  const q = quantity(value);
  const label = one.path.map((step, i) => pathWord(v, one.path, step, i)).join(' · ');
  const move = (event: Event) => {
    if (!q) return;
    const step = Number((event.currentTarget as HTMLInputElement).value);
    setField(v, one.path, withValue(q, fromStep(one, step), whole(field)));
  };
  const type = (event: Event) => {
    const next = (event.currentTarget as HTMLInputElement).value.trim();
    if (next) setField(v, one.path, next);
  };
  const choices = choicesOf(field);
  const away = (
    <button type="button" class="icon" aria-label={`Take ${label} away`} onClick={() => unpin(v, one.path)}>
      ×
    </button>
  );
  if (choices.length && field)
    return (
      <div class="slider choice">
        <label for={id}>{label}</label>
        <Control v={v} path={one.path} field={field} id={id} describedBy="" invalid={false} />
        {away}
      </div>
    );
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="range"
        min={0}
        max={steps}
        value={q ? toStep(one, q.value) : 0}
        disabled={!q}
        aria-valuetext={value}
        onInput={move}
      />
      <input
        type="text"
        class="value"
        aria-label={`${label}, as text`}
        value={value}
        onChange={type}
        spellcheck={false}
      />
      {away}
      {also && <span class="also soft small">{also}</span>}
    </div>
  );
}

function pathWord(v: Variant, path: Path, step: string | number, index: number): string {
  if (typeof step === 'string') return named(step);
  const item = at(v.tree.value, path.slice(0, index + 1));
  const name = item ? at(item, ['name']) : undefined;
  return name?.kind === 'scalar' ? name.text : String(step + 1);
}
