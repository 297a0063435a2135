// The scenario as text, with what is wrong at its line. A text area as every browser has it, laid
// over a coloured copy of its lines; the frame scrolls both.
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { edit } from './state';
import type { Variant } from './state';
import type { Diagnostic } from './api';

function Coloured({ line }: { line: string }) {
  const found = /^(\s*(?:- )?)([\w.+-]+:)?(.*?)(\s#.*|^#.*)?$/.exec(line);
  if (!found) return <>{line}</>;
  const [, indent = '', key = '', value = '', comment = ''] = found;
  if (line.trimStart().startsWith('#')) return <i>{line}</i>;
  return (
    <>
      {indent}
      {key && <b>{key}</b>}
      {value}
      {comment && <i>{comment}</i>}
    </>
  );
}

function firstDifference(a: string, b: string) {
  let i = 0;
  while (i < a.length && a[i] === b[i]) ++i;
  return i;
}

export function Editor({ v }: { v: Variant }) {
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const shown = useRef('');
  const text = v.text.value;
  const lines = text.split('\n');
  const errors = v.errors.value;
  const wrong = new Set(errors.map((e) => e.line));

  // After a change from elsewhere (undo, the form) the caret goes to what changed.
  useLayoutEffect(() => {
    const element = area.current;
    if (!element || element.value === text) return;
    const place = firstDifference(shown.current, text);
    element.value = text;
    if (document.activeElement === element) element.setSelectionRange(place, place);
  }, [text]);
  shown.current = text;

  const go = (e: Diagnostic) => {
    const start = lines.slice(0, e.line - 1).reduce((sum, line) => sum + line.length + 1, 0);
    const element = area.current;
    if (!element) return;
    element.focus();
    element.setSelectionRange(start + Math.max(0, e.column - 1), start + (lines[e.line - 1]?.length ?? 0));
    element.closest('.frame')?.querySelector(`[data-line="${e.line}"]`)?.scrollIntoView({ block: 'nearest' });
  };

  return (
    <section class="editor" aria-label="Scenario as YAML">
      <div class="frame">
        <div class="gutter" aria-hidden="true">
          {lines.map((_, i) => (
            <span key={i} data-line={i + 1} class={wrong.has(i + 1) ? 'wrong' : ''}>
              {wrong.has(i + 1) ? '▶ ' : ''}
              {i + 1}
            </span>
          ))}
        </div>
        <div class="sheet">
          <pre aria-hidden="true">
            {lines.map((line, i) => (
              <div key={i} class={wrong.has(i + 1) ? 'wrong' : ''}>
                <Coloured line={line} />
                {'\n'}
              </div>
            ))}
          </pre>
          <textarea
            ref={area}
            rows={lines.length}
            spellcheck={false}
            autocomplete="off"
            wrap="off"
            aria-label="YAML of the scenario"
            aria-invalid={errors.length > 0}
            aria-describedby={id}
            defaultValue={text}
            onInput={(event) => edit(v, event.currentTarget.value, 'typed')}
          />
        </div>
      </div>
      <div id={id} class="errors" role="status">
        {errors.length > 0 && (
          <ul>
            {errors.map((e, i) => (
              <li key={i}>
                <button type="button" onClick={() => go(e)}>
                  <strong>{e.line > 0 ? `Line ${e.line}, column ${e.column}` : 'The scenario'}</strong>
                  {e.path && <code> {e.path}</code>}: {e.message}
                  {e.hint && <em> ({e.hint})</em>}
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}
