// Long work on the server: begun, followed by its events, stopped. What ran before a reload of the
// page is found again.
import { signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import { api, Refused } from './api';
import type { Answer, JobState, JobStatus } from './api';
import { fileName, tell, refused, scenarioName } from './state';
import type { Variant } from './state';

export interface Job {
  id: string;
  title: string;
  verb: string;
  options: string[];
  on: string; // the variant's name
  file: string; // name for what it makes, where it makes a file
  begun: number;
  status: Signal<JobStatus>;
  result: Signal<Answer | null>;
}

export const jobs = signal<Job[]>([]);
export const chosenJob = signal('');
export const ended = (state: JobState) => state === 'done' || state === 'stopped' || state === 'failed';

export interface Task {
  title: string;
  about: string;
  verb: string;
  options: string[];
}

export async function beginJob(task: Task, v: Variant) {
  try {
    const { id } = await api.begin({
      verb: task.verb,
      options: task.options,
      text: v.text.value,
      name: scenarioName(),
    });
    const job = watch(String(id), task, v.title.value, fileName(v, 'html'));
    chosenJob.value = job.id;
    tell(`${task.title} begun.`);
  } catch (error) {
    if (error instanceof Refused && error.status !== 0 && error.status !== 401) tell(`Not begun: ${error.message}`);
    else refused(error);
  }
}

function watch(id: string, task: Task, on: string, file: string, known?: JobStatus): Job {
  const { title, verb, options } = task;
  const status = known ?? { id, verb, state: 'queued' as const, stage: '', done: 0, total: 0 };
  const job: Job = {
    id,
    title,
    verb,
    options,
    on,
    file,
    begun: Date.now(),
    status: signal(status),
    result: signal(null),
  };
  jobs.value = [job, ...jobs.value];
  follow(job).catch(refused);
  return job;
}

/** Progress by events; where the stream breaks, by asking. Ends when the job has. */
async function follow(job: Job) {
  const abort = new AbortController();
  while (!ended(job.status.value.state)) {
    try {
      for await (const event of api.events(job.id, abort.signal)) {
        if (event.event !== 'progress' && event.event !== 'end') continue;
        const told = JSON.parse(event.data) as Partial<JobStatus>;
        job.status.value = {
          ...job.status.value,
          ...(event.event === 'progress' ? { state: 'running' as const } : {}),
          ...told,
        };
        if (event.event === 'end') break;
      }
    } catch (error) {
      if (error instanceof Refused && error.status !== 0) return forgotten(job, error);
    }
    const now = await api.job(job.id);
    job.status.value = { ...job.status.value, ...now };
    if (ended(now.state)) {
      job.result.value = now.result ?? null;
      if (job.on) tell(`${job.title}: ${now.state}.`); // else it is of an earlier page
      return;
    }
    await new Promise((done) => setTimeout(done, 300));
  }
}

function forgotten(job: Job, error: Refused) {
  job.status.value = { ...job.status.value, state: 'failed', stage: error.message };
}

export async function stopJob(job: Job) {
  try {
    await api.stop(job.id);
  } catch (error) {
    refused(error);
  }
}

/** Jobs of an earlier page of the same server. */
export async function findJobs(titleOf: (verb: string) => string) {
  try {
    const held = new Set(jobs.value.map((job) => job.id));
    for (const status of await api.jobs()) {
      const id = String(status.id);
      if (held.has(id)) continue;
      // Its end is learned by asking once: only then is there a result.
      const task = { title: titleOf(status.verb), about: '', verb: status.verb, options: [] };
      const state = ended(status.state) ? 'running' : status.state;
      watch(id, task, '', 'report.html', { ...status, id, state });
    }
  } catch (error) {
    refused(error);
  }
}
