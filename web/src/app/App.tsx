// The app of `headroom ui`: a scenario as form and as text, what it comes to, variants, longer work,
// the catalogue. One page, one server, nobody else.
import { useEffect } from 'preact/hooks';
import { computed, signal } from '@preact/signals';
import { Tabs } from '../kit/parts';
import { ExplainLayer, TraceContext } from '../kit/trace';
import { Catalogue } from './Catalogue';
import { Compare } from './Compare';
import { Editor } from './Editor';
import { pin } from './fields';
import { Form } from './Form';
import { findJobs, jobs, ended } from './jobs';
import { FileMenu, OpenMenu, ShareMenu } from './Menus';
import { ReportView } from './ReportView';
import { Results, Strip, trace } from './Results';
import { fieldAt } from './schema';
import {
  begin,
  branch,
  current,
  currentId,
  dirty,
  notice,
  redo,
  save,
  schema,
  start,
  trouble,
  undo,
  variants,
  view,
} from './state';
import type { Variant, View } from './state';
import { titleOf, Work } from './Work';
import { at } from './yaml/tree';
import '../pictures/pictures.css';
import './app.css';
import './views.css';

type Side = 'form' | 'yaml' | 'result';
const side = signal<Side>('form');
const narrow = signal(false);

/** Numbers that most people turn first, put on sliders for a scenario that has them. */
const FIRST: (string | number)[][] = [
  ['clusters', 0, 'count'],
  ['workloads', 0, 'traffic', 'rate'],
  ['workloads', 0, 'llm', 'traffic', 'rate'],
  ['workloads', 0, 'tokens'],
  ['power', 'grid', 'capacity'],
  ['money', 'accelerator_price'],
  ['money', 'energy_price'],
];

const begun = new WeakSet<Variant>();

function firstSliders(v: Variant) {
  const root = schema.peek();
  if (!root || begun.has(v)) return;
  begun.add(v);
  if (v.pins.value.length) return; // a copy has those of its origin
  for (const path of FIRST.filter((one) => at(v.tree.value, one)).slice(0, 3)) pin(v, path, fieldAt(root, path));
}

function keys(event: KeyboardEvent) {
  const v = current.value;
  if (!v || !(event.ctrlKey || event.metaKey) || event.altKey) return;
  const key = event.key.toLowerCase();
  const act =
    key === 's' && start.value?.can_save
      ? () => void save(v)
      : key === 'z' && event.shiftKey
        ? () => redo(v)
        : key === 'z'
          ? () => undo(v)
          : key === 'y'
            ? () => redo(v)
            : null;
  if (!act) return;
  event.preventDefault();
  act();
}

function Trouble() {
  const error = trouble.value;
  if (!error) return null;
  const locked = error.status === 401 || error.status === 403;
  return (
    <div class="trouble" role="alert">
      {locked ? 'This page has lost its key: open it again at the address that `headroom ui` printed.' : error.message}{' '}
      <button type="button" onClick={() => location.reload()}>
        Try again
      </button>{' '}
      {!locked && (
        <button type="button" onClick={() => (trouble.value = null)}>
          Close
        </button>
      )}
    </div>
  );
}

function Variants() {
  const list = variants.value;
  return (
    <div class="variants">
      {list.length > 1 && (
        <Tabs
          label="Variants"
          value={String(current.value?.id ?? '')}
          onChange={(id) => (currentId.value = Number(id))}
          options={list.map((v) => ({ key: String(v.id), label: v.title.value }))}
        />
      )}
      {current.value && (
        <button
          type="button"
          title="A copy to change and to compare"
          onClick={() => current.value && branch(current.value)}
        >
          + variant
        </button>
      )}
    </div>
  );
}

function Bar({ v }: { v: Variant }) {
  const { past, future } = v.history.value;
  return (
    <header class="bar">
      <h1>headroom</h1>
      <nav aria-label="Views">
        {(
          [
            ['design', 'Design'],
            ['report', 'Report'],
            ['compare', 'Compare'],
            ['work', 'Jobs'],
            ['catalogue', 'Catalogue'],
          ] as [View, string][]
        ).map(([key, label]) => (
          <button
            type="button"
            key={key}
            aria-current={view.value === key ? 'page' : undefined}
            onClick={() => (view.value = key)}
          >
            {label}
            {key === 'work' && running.value > 0 && (
              <span class="count" aria-label={`, ${running.value} running`}>
                {running.value}
              </span>
            )}
          </button>
        ))}
      </nav>
      <Variants />
      <div class="actions">
        <button
          type="button"
          class="icon"
          disabled={!past.length}
          onClick={() => undo(v)}
          title="Undo (Ctrl+Z)"
          aria-label="Undo"
        >
          ↶
        </button>
        <button
          type="button"
          class="icon"
          disabled={!future.length}
          onClick={() => redo(v)}
          title="Redo (Ctrl+Shift+Z)"
          aria-label="Redo"
        >
          ↷
        </button>
        <OpenMenu />
        <FileMenu v={v} />
        <ShareMenu v={v} />
      </div>
    </header>
  );
}

const running = computed(() => jobs.value.filter((job) => !ended(job.status.value.state)).length);

function Design({ v }: { v: Variant }) {
  const sides: { key: Side; label: string }[] = [
    { key: 'form', label: 'Form' },
    { key: 'yaml', label: v.errors.value.length ? `YAML (${v.errors.value.length} wrong)` : 'YAML' },
    ...(narrow.value ? [{ key: 'result' as const, label: 'Result' }] : []),
  ];
  return (
    <div class="design" data-side={side.value}>
      <div class="sides">
        <Tabs label="Scenario as" options={sides} value={side.value} onChange={(key) => (side.value = key)} />
      </div>
      <div class="pane form-pane">
        <Form v={v} />
      </div>
      <div class="pane yaml-pane">
        <Editor key={v.id} v={v} />
      </div>
      <div class="pane result-pane">
        <Results v={v} />
      </div>
      {narrow.value && side.value !== 'result' && <Strip v={v} onShow={() => (side.value = 'result')} />}
    </div>
  );
}

export function App() {
  useEffect(() => {
    void begin().then(() => findJobs(titleOf));
    document.addEventListener('keydown', keys);
    const leave = (event: BeforeUnloadEvent) => {
      if (dirty.peek()) event.preventDefault();
    };
    window.addEventListener('beforeunload', leave);
    const query = window.matchMedia('(max-width: 59.99rem)');
    const fit = () => {
      narrow.value = query.matches;
      if (!query.matches && side.value === 'result') side.value = 'form';
    };
    fit();
    query.addEventListener('change', fit);
    return () => {
      document.removeEventListener('keydown', keys);
      window.removeEventListener('beforeunload', leave);
      query.removeEventListener('change', fit);
    };
  }, []);
  const v = current.value;
  const known = schema.value !== null;
  const unsaved = dirty.value;
  const name = v?.tree.value.entries.find((entry) => entry.key === 'name')?.value;
  const title = name?.kind === 'scalar' ? name.text : 'headroom';
  useEffect(() => {
    document.title = `${unsaved ? '• ' : ''}${title}`;
  }, [title, unsaved]);
  useEffect(() => {
    if (v && known) firstSliders(v);
  }, [v, known]);
  return (
    <TraceContext.Provider value={trace.value}>
      <div class="app">
        <a class="skip" href="#main">
          To the scenario
        </a>
        {v && <Bar v={v} />}
        <Trouble />
        <main id="main" tabIndex={-1}>
          {!v ? (
            <p class="soft opening">Opening the scenario …</p>
          ) : view.value === 'design' ? (
            <Design v={v} />
          ) : view.value === 'report' ? (
            <ReportView />
          ) : view.value === 'compare' ? (
            <Compare />
          ) : view.value === 'work' ? (
            <Work />
          ) : (
            <Catalogue />
          )}
        </main>
        <div role="status" aria-live="polite">
          {notice.value.text && (
            <p class="notice" key={notice.value.number}>
              {notice.value.text}
            </p>
          )}
        </div>
        <ExplainLayer />
      </div>
    </TraceContext.Provider>
  );
}
