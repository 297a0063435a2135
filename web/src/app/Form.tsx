// The scenario as a form, made from the schema: what is given is shown, what may be given is offered.
// The form holds nothing itself: it reads the text's tree and changes the text.
import { useId } from 'preact/hooks';
import { signal } from '@preact/signals';
import { allFields, startValue } from './schema';
import type { Field } from './schema';
import { edit, schema, setField } from './state';
import type { Variant } from './state';
import { errorsOf, named, Row, takeOut } from './fields';
import { append, remove, set } from './yaml/edit';
import { at, child, nameOf } from './yaml/tree';
import type { MapNode, Node, Path } from './yaml/tree';

const draftOf = (path: Path) => path.join('\n');

function isDraft(v: Variant, path: Path) {
  const key = draftOf(path);
  return v.drafts.value.some((draft) => draft === key || draft.startsWith(`${key}\n`));
}

/** Shows a field that the text has not yet, or puts it in where its first value is known. */
function offer(v: Variant, path: Path, field: Field) {
  const value = startValue(field);
  if (field.kind === 'list') return addItem(v, path, field);
  if (value !== '') return setField(v, path, value);
  v.drafts.value = [...v.drafts.value, draftOf(path)];
}

function Offer({ v, path, field, taken }: { v: Variant; path: Path; field: Field; taken: Set<string> }) {
  const id = useId();
  const rest = [...field.fields].filter(([key]) => !taken.has(key));
  if (!rest.length) return null;
  const choose = (event: Event) => {
    const select = event.currentTarget as HTMLSelectElement;
    const chosen = field.fields.get(select.value);
    const key = select.value;
    select.value = '';
    if (chosen) offer(v, [...path, key], chosen);
  };
  const where = path.length ? ` to ${named(path.at(-1) ?? '')}` : '';
  return (
    <div class="offer">
      <label class="visually-hidden" for={id}>
        Add a field{where}
      </label>
      <select id={id} value="" onChange={choose}>
        <option value="">+ add{where} …</option>
        {rest.map(([key, one]) => (
          <option key={key} value={key}>
            {named(key)}
            {one.about && ` – ${one.about.slice(0, 90)}`}
          </option>
        ))}
      </select>
    </div>
  );
}

function Fields({ v, path, field, node }: { v: Variant; path: Path; field: Field; node: Node | undefined }) {
  const required = new Set(field.required);
  const shown = [...field.fields].filter(
    ([key]) => child(node, key) !== undefined || required.has(key) || isDraft(v, [...path, key]),
  );
  const unknown = (node?.kind === 'map' ? node : { entries: [] as MapNode['entries'] }).entries.filter(
    (entry) => !field.fields.has(entry.key) && entry.key !== '<<',
  );
  // Values first, then what holds more: a short form reads from the top.
  const plain = shown.filter(([, one]) => one.kind !== 'map' && one.kind !== 'list');
  const deep = shown.filter(([, one]) => one.kind === 'map' || one.kind === 'list');
  return (
    <>
      {plain.map(([key, one]) => (
        <Row key={key} v={v} path={[...path, key]} field={one} required={required.has(key)} />
      ))}
      {unknown.map((entry) => (
        <div class="row" key={entry.key}>
          <span class="label bad">{entry.key}</span>
          <div class="control">
            <button type="button" onClick={() => takeOut(v, [...path, entry.key])}>
              Take out
            </button>
          </div>
          <p class="about bad">No such field{path.length ? ` in ${named(path.at(-1) ?? '')}` : ''}.</p>
        </div>
      ))}
      {deep.map(([key, one]) => (
        <Deep key={key} v={v} path={[...path, key]} field={one} />
      ))}
      <Offer v={v} path={path} field={field} taken={new Set(shown.map(([key]) => key))} />
    </>
  );
}

function Deep({ v, path, field }: { v: Variant; path: Path; field: Field }) {
  const node = at(v.tree.value, path);
  if (field.kind === 'list') return <List v={v} path={path} field={field} node={node} />;
  const odd = node && node.kind !== 'map' && node.kind !== 'absent';
  return (
    <fieldset>
      <legend>
        {named(path.at(-1) ?? '')}
        <button
          type="button"
          class="icon"
          aria-label={`Take out ${named(path.at(-1) ?? '')}`}
          onClick={() => takeOut(v, path)}
        >
          ×
        </button>
      </legend>
      {field.about && <p class="about">{field.about}.</p>}
      {odd ? (
        <p class="about">Written in a way the form does not know; change it in the YAML.</p>
      ) : (
        <Fields v={v} path={path} field={field} node={node} />
      )}
      {node?.kind === 'absent' &&
        errorsOf(v, node).map((e) => (
          <p class="about bad" key={e.message}>
            {e.message}
          </p>
        ))}
    </fieldset>
  );
}

function addItem(v: Variant, path: Path, field: Field) {
  const item = field.item;
  const first = item?.fields.has('name')
    ? '{name: new}'
    : `{${item?.required[0] ?? [...(item?.fields.keys() ?? [])][0]}: }`;
  edit(v, append(v.text.value, path, first));
}

function List({ v, path, field, node }: { v: Variant; path: Path; field: Field; node: Node | undefined }) {
  const what = named(path.at(-1) ?? '');
  const items = node?.kind === 'seq' ? node.items : [];
  const item = field.item;
  return (
    <div class="list">
      <h4>{what}</h4>
      {field.about && <p class="about">{field.about}.</p>}
      {item &&
        items.map((one, index) => (
          <fieldset key={nameOf(one.value) ?? index}>
            <legend>
              {nameOf(one.value) ?? `${what} ${index + 1}`}
              <button
                type="button"
                class="icon"
                aria-label={`Take out ${nameOf(one.value) ?? `${what} ${index + 1}`}`}
                onClick={() => edit(v, remove(v.text.value, [...path, index]))}
              >
                ×
              </button>
            </legend>
            <Fields v={v} path={[...path, index]} field={item} node={one.value} />
          </fieldset>
        ))}
      <button type="button" onClick={() => addItem(v, path, field)}>
        + {items.length ? `another of ${what}, like the last` : `first of ${what}`}
      </button>
    </div>
  );
}

const wanted = signal('');

/** Finds a field among all that a scenario may have and shows it. */
function Search({ v, root }: { v: Variant; root: Field }) {
  const id = useId();
  const words = wanted.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = words.length
    ? allFields(root)
        .filter(({ path, field }) => {
          const hay = `${path.join(' ').replaceAll('_', ' ')} ${field.about}`.toLowerCase();
          return words.every((word) => hay.includes(word));
        })
        .slice(0, 12)
    : [];
  const show = (path: string[], field: Field) => {
    const real = concrete(v, root, path);
    if (at(v.tree.value, real) === undefined) offer(v, real, field);
    wanted.value = '';
    focusField(real);
  };
  return (
    <div class="search">
      <label for={id} class="visually-hidden">
        Find a field
      </label>
      <input
        id={id}
        type="search"
        placeholder="Find a field, e.g. grid capacity"
        value={wanted.value}
        onInput={(event) => (wanted.value = event.currentTarget.value)}
      />
      {found.length > 0 && (
        <ul>
          {found.map(({ path, field }) => (
            <li key={path.join('.')}>
              <button type="button" onClick={() => show(path, field)}>
                <code>{path.join('.')}</code> <span class="soft">{field.about}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {words.length > 0 && !found.length && <p class="about">No field has these words.</p>}
    </div>
  );
}

/** A path of the schema in this scenario: the first item of each list on the way. */
function concrete(v: Variant, root: Field, path: string[]): (string | number)[] {
  const out: (string | number)[] = [];
  let field: Field | undefined = root;
  for (const step of path) {
    field = (field?.kind === 'list' ? field.item : field)?.fields.get(step);
    out.push(step);
    if (field?.kind === 'list' && out.length && step !== path.at(-1)) {
      const node = at(v.tree.value, out);
      if (node?.kind !== 'seq') edit(v, set(v.text.value, [...out, 0], '{name: new}'));
      out.push(0);
    }
  }
  return out;
}

/** To the field's control, once it is drawn. */
function focusField(path: Path, tries = 30) {
  const top = document.getElementById(`section-${String(path[0])}`);
  if (top instanceof HTMLDetailsElement) top.open = true;
  const row = document.querySelector(`.row[data-path="${CSS.escape(path.join('.'))}"]`);
  if (!row) {
    if (tries > 0) requestAnimationFrame(() => focusField(path, tries - 1));
    return;
  }
  row.scrollIntoView({ block: 'center' });
  row.querySelector<HTMLElement>('input, select')?.focus();
}

export function Form({ v }: { v: Variant }) {
  const root = schema.value;
  if (!root) return <p class="soft">Reading the fields …</p>;
  const node = v.tree.value;
  const tops = [...root.fields];
  const given = (key: string) => child(node, key) !== undefined || isDraft(v, [key]);
  const heads = tops.filter(([, one]) => one.kind !== 'map' && one.kind !== 'list');
  const sections = tops.filter(([key, one]) => (one.kind === 'map' || one.kind === 'list') && given(key));
  return (
    <form class="form" onSubmit={(event) => event.preventDefault()} aria-label="Scenario as a form">
      <Search v={v} root={root} />
      {heads
        .filter(([key]) => given(key) || root.required.includes(key))
        .map(([key, one]) => (
          <Row key={key} v={v} path={[key]} field={one} required={root.required.includes(key)} />
        ))}
      {sections.map(([key, one]) => (
        <details class="section" id={`section-${key}`} key={key} open>
          <summary>
            <h3>{named(key)}</h3>
          </summary>
          {one.kind === 'list' ? (
            <List v={v} path={[key]} field={one} node={child(node, key)} />
          ) : (
            <>
              {one.about && <p class="about">{one.about}.</p>}
              <Fields v={v} path={[key]} field={one} node={child(node, key)} />
            </>
          )}
        </details>
      ))}
      <Offer v={v} path={[]} field={root} taken={new Set(tops.filter(([key]) => given(key)).map(([key]) => key))} />
    </form>
  );
}
