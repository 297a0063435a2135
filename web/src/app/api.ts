// The server of `headroom ui` as this page calls it (docs/ui.md). The token travels in a cookie that
// the server set for this page; no other machine is ever asked.
import type { JsonObject } from '../kit/json';

export interface Diagnostic {
  line: number;
  column: number;
  path: string;
  message: string;
  hint: string;
}

export interface Start {
  version: string;
  name: string;
  text: string;
  file: string | null;
  stamp?: string; // tells this text of the file from what others write to it
  can_save: boolean;
  templates: string[];
}

export interface Answer {
  status: number; // exit status of the verb: 0 fits, 1 falls short, 2 bad input
  document: JsonObject | null;
  text: string | null;
  errors: Diagnostic[];
  err: string;
  millis: number;
}

export type JobState = 'queued' | 'running' | 'done' | 'stopped' | 'failed';

export interface JobStatus {
  id: string;
  verb: string;
  state: JobState;
  stage: string;
  done: number;
  total: number;
  result?: Answer | null;
}

export interface Request {
  verb: string;
  options: string[];
  text: string;
  name: string;
}

/** What the server refused, or that it did not answer (`status` 0). */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Refused(0, 'headroom does not answer: was `headroom ui` ended?');
  }
  if (response.ok) return response;
  let message = `${response.status} ${response.statusText}`;
  try {
    const said = (await response.json()) as { error?: string; hint?: string };
    if (said.error) message = said.error + (said.hint ? ` (${said.hint})` : '');
  } catch {
    // no JSON: the status says it
  }
  throw new Refused(response.status, message);
}

const json = async <T>(path: string, init?: RequestInit) => (await (await call(path, init)).json()) as T;
const body = (value: unknown, signal?: AbortSignal): RequestInit => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(value),
  ...(signal ? { signal } : {}),
});

export const api = {
  start: () => json<Start>('/api/start'),
  schema: () => json<JsonObject>('/api/schema'),
  catalogue: () => json<Record<string, string[]>>('/api/catalog'),
  entry: (kind: string, id: string) =>
    json<JsonObject>(`/api/catalog/${encodeURIComponent(kind)}/${encodeURIComponent(id)}`),
  template: (name: string) => json<{ name: string; text: string }>(`/api/template/${encodeURIComponent(name)}`),
  run: (request: Request, signal?: AbortSignal) => json<Answer>('/api/run', body(request, signal)),
  save: (text: string, stamp: string) => json<{ stamp?: string }>('/api/save', body({ text, stamp })),
  report: async (text: string, name: string, format: string): Promise<Blob> =>
    (await call('/api/report', body({ text, name, format }))).blob(),
  begin: (request: Request) => json<{ id: string | number }>('/api/jobs', body(request)),
  jobs: () => json<JobStatus[]>('/api/jobs'),
  job: (id: string) => json<JobStatus>(`/api/jobs/${id}`),
  jobFile: async (id: string): Promise<Blob> => (await call(`/api/jobs/${id}/file`)).blob(),
  stop: (id: string) => call(`/api/jobs/${id}`, { method: 'DELETE' }),
  events,
};

export interface ServerEvent {
  event: string;
  data: string;
}

/** The events of a job until its stream ends; comments (heartbeats) are passed over. */
async function* events(id: string, signal: AbortSignal): AsyncGenerator<ServerEvent> {
  const response = await call(`/api/jobs/${id}/events`, { signal, headers: { Accept: 'text/event-stream' } });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  let held = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (held + value).split(/\r?\n\r?\n/);
    held = parts.pop() ?? '';
    for (const part of parts) {
      const event = parseEvent(part);
      if (event) yield event;
    }
  }
}

/** One block of an event stream; null for a comment. */
export function parseEvent(block: string): ServerEvent | null {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const found = /^(event|data):\s?(.*)$/.exec(line);
    if (found?.[1] === 'event') event = found[2] ?? '';
    if (found?.[1] === 'data') data.push(found[2] ?? '');
  }
  return data.length ? { event, data: data.join('\n') } : null;
}
