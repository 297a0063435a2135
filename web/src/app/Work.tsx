// Longer work as jobs: what may be asked, what runs, what came out.
import { useState } from 'preact/hooks';
import { formatNumber } from '../kit/format';
import { texts } from '../kit/json';
import { TraceContext, traceOf } from '../kit/trace';
import { Drawn } from './Drawn';
import { beginJob, chosenJob, ended, jobs, stopJob } from './jobs';
import type { Job, Task } from './jobs';
import { api } from './api';
import { current, download, refused } from './state';
import type { Variant } from './state';
import { quantity } from './schema';
import { child, nameOf } from './yaml/tree';

const facility = (title: string, about: string, ...options: string[]): Task => ({
  title,
  about,
  verb: 'facility',
  options,
});

const tasks: Task[] = [
  {
    title: 'Training plans',
    about: 'Searches parallel plans of each training run; the front of those no other beats',
    verb: 'train',
    options: ['--pareto'],
  },
  {
    title: 'All training plans',
    about: 'Every legal plan, not the planner’s choice of them',
    verb: 'train',
    options: ['--exhaustive', '--pareto'],
  },
  {
    title: 'Serving set-ups',
    about: 'Engine settings and GPUs for each serving workload; finalists are replayed',
    verb: 'infer',
    options: ['--pareto'],
  },
  facility('Weather year', 'PUE, water, temperatures, hour by hour'),
  facility(
    'Year, second by second',
    'The year in the time domain, every rack stepped',
    '--year',
    '--resolution',
    '1min',
  ),
  facility('Availability', 'How often halls stand still, why, and what it costs', '--availability'),
  facility('Supply', 'Where energy comes from over the year at the least cost', '--supply'),
  facility('Swings of the load', 'Seconds: the grid’s limits and sags', '--transient'),
  facility('Power chain', 'Every node of it, its load and what its loss does', '--chain'),
  facility('Hall layout', 'Rows, aisles, areas, weights', '--layout'),
  facility('Ready when', 'Lead times: retrofit against new building', '--gantt'),
  {
    title: 'What a range does',
    about: 'Each ranged figure of the catalogue behind the binding limit, at its ends',
    verb: 'check',
    options: ['--ranges'],
  },
];

export const titleOf = (verb: string) => [...tasks, fullReport].find((task) => task.verb === verb)?.title ?? verb;

const kinds = (v: Variant) => {
  const work = child(v.tree.value, 'workloads');
  return (work?.kind === 'seq' ? work.items : []).map((item) => {
    const kind = child(item.value, 'kind');
    return kind?.kind === 'scalar' ? kind.text : '';
  });
};

const LOADS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3]; // of the asked rate

/** The knee of each serving workload: times of its users from a quarter to three times its load. */
function curves(v: Variant): Task[] {
  const work = child(v.tree.value, 'workloads');
  return (work?.kind === 'seq' ? work.items : []).flatMap((item) => {
    const traffic = child(item.value, 'traffic') ?? child(child(item.value, 'llm'), 'traffic');
    const rate = child(traffic, 'rate');
    const asked = rate?.kind === 'scalar' ? quantity(rate.text) : null;
    const name = nameOf(item.value);
    if (!asked || !name || !/\/s$/.test(asked.after.split('@')[0]!.trim())) return [];
    const rates = LOADS.map((share) => `${Number((asked.value * share).toPrecision(4))}/s`).join(',');
    return [
      {
        title: `Load of ${name}`,
        about: 'Times to the first and each further token from a quarter to three times the load, with the knee',
        verb: 'infer',
        options: ['--workload', name, '--rate', rates],
      },
    ];
  });
}

/** The report with its slow parts too, as a file. */
const fullReport: Task = {
  title: 'Full report',
  about: 'The report with availability, swings of the load and all that takes longer, as a file (HTML)',
  verb: 'report',
  options: ['--format', 'html', '--full'],
};

/** What the scenario has a use for. */
function offered(v: Variant): Task[] {
  const works = kinds(v);
  const train = works.some((kind) => kind === 'train' || kind === '');
  const serve = works.some((kind) => kind !== 'train' && kind !== '');
  const fixed = tasks.filter((task) => {
    if (task.verb === 'train') return train;
    if (task.verb === 'infer') return serve;
    if (task.options[0] === '--supply') return child(v.tree.value, 'supply') !== undefined;
    if (task.verb === 'facility') return child(v.tree.value, 'building') !== undefined;
    return true;
  });
  return [...fixed, ...(serve ? curves(v) : []), fullReport];
}

function wordAt(v: Variant, ...path: (string | number)[]): string {
  let node: ReturnType<typeof child> = v.tree.value;
  for (const step of path) node = child(node, step);
  return node?.kind === 'scalar' ? node.text : '';
}

function Replay({ v }: { v: Variant }) {
  const model = wordAt(v, 'workloads', 0, 'model') || 'llama-3.1-70b';
  const system = wordAt(v, 'clusters', 0, 'system') || 'dgx-h100';
  const [line, setLine] = useState(
    `--like azure-conv-2023 --rate 4/s --duration 1h --model ${model} --system ${system}`,
  );
  return (
    <form
      class="replay"
      onSubmit={(event) => {
        event.preventDefault();
        void beginJob({ title: 'Replay', about: '', verb: 'replay', options: line.split(/\s+/).filter(Boolean) }, v);
      }}
    >
      <label for="replay">
        Replay of a synthetic load, with the options of <code>headroom replay</code>
      </label>
      <div class="control">
        <input
          id="replay"
          type="text"
          value={line}
          spellcheck={false}
          onInput={(e) => setLine(e.currentTarget.value)}
        />
        <button type="submit">Begin</button>
      </div>
    </form>
  );
}

function Progress({ job }: { job: Job }) {
  const { state, stage, done, total } = job.status.value;
  if (ended(state)) return <span class={`badge ${state === 'failed' ? 'bad' : 'soft'}`}>{state}</span>;
  const share = total > 0 ? done / total : undefined;
  const words = `${stage || state}${total > 0 ? ` ${formatNumber(done)} of ${formatNumber(total)}` : done > 0 ? ` ${formatNumber(done)}` : ''}`;
  return (
    <span class="progress">
      <progress aria-label={`${job.title}: ${words}`} {...(share === undefined ? {} : { value: share, max: 1 })} />
      <span class="small">{words}</span>
    </span>
  );
}

function ReportFile({ job }: { job: Job }) {
  const fetchFile = () => void api.jobFile(job.id).then((file) => download(job.file, '', file), refused);
  return (
    <p>
      {job.title} is ready.{' '}
      <button type="button" class="primary" onClick={fetchFile}>
        Save {job.file}
      </button>
    </p>
  );
}

function Result({ job }: { job: Job }) {
  const answer = job.result.value;
  const { state } = job.status.value;
  if (!ended(state))
    return (
      <p class="soft">
        {job.title} is {state}.
      </p>
    );
  if (!answer?.document && !answer?.text && !answer?.errors.length) {
    // Stopped, or not to be had: the engine says what was kept.
    const why = answer?.err.trim() || job.status.value.stage || 'nothing was kept';
    return (
      <p>
        {job.title}: {state}; {why}.
      </p>
    );
  }
  if (job.verb === 'report' && state === 'done') return <ReportFile job={job} />;
  const doc = answer.document;
  return (
    <TraceContext.Provider value={traceOf(doc ?? null)}>
      <h3>
        {job.title} <span class="soft">of {job.on || 'an earlier page'}</span>
      </h3>
      {answer.errors.length > 0 && (
        <ul class="bad">
          {answer.errors.map((e, i) => (
            <li key={i}>
              {e.line > 0 && `Line ${e.line}: `}
              {e.message} {e.hint && `(${e.hint})`}
            </li>
          ))}
        </ul>
      )}
      {!doc && answer.err && <p class="bad">{answer.err}</p>}
      {doc ? <Drawn verb={job.verb} options={job.options} document={doc} /> : <pre class="plain">{answer.text}</pre>}
      {texts(doc?.remarks).map((r) => (
        <p class="soft small" key={r}>
          {r}
        </p>
      ))}
    </TraceContext.Provider>
  );
}

export function Work() {
  const v = current.value;
  if (!v) return null;
  const shown = jobs.value.find((job) => job.id === chosenJob.value) ?? jobs.value[0];
  return (
    <div class="work">
      <section class="panel" aria-label="Work that may be asked for">
        <h3>Ask for more, on {v.title.value}</h3>
        <ul class="tasks">
          {offered(v).map((task) => (
            <li key={task.title}>
              <button type="button" onClick={() => void beginJob(task, v)}>
                {task.title}
              </button>
              <span class="soft small">{task.about}</span>
            </li>
          ))}
        </ul>
        <Replay v={v} />
      </section>
      <section class="panel jobs" aria-label="Jobs">
        <h3>Jobs</h3>
        {jobs.value.length === 0 && <p class="soft">None yet. They run beside the rest, two at a time.</p>}
        <ul>
          {jobs.value.map((job) => (
            <li key={job.id} data-job={job.id} data-state={job.status.value.state}>
              <button
                type="button"
                class="name"
                aria-pressed={job === shown}
                onClick={() => (chosenJob.value = job.id)}
              >
                {job.title} <span class="soft small">{job.on}</span>
              </button>
              <Progress job={job} />
              {!ended(job.status.value.state) && (
                <button type="button" aria-label={`Stop ${job.title}`} onClick={() => void stopJob(job)}>
                  Stop
                </button>
              )}
            </li>
          ))}
        </ul>
      </section>
      {shown && (
        <section class="outcome" aria-label="Result of the job">
          {<Result key={shown.id} job={shown} />}
        </section>
      )}
    </div>
  );
}
