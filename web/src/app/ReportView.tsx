// The report of the current variant as it would be sent: the same pictures, of the text as it is now.
import { useEffect } from 'preact/hooks';
import { signal } from '@preact/signals';
import { TraceContext, traceOf } from '../kit/trace';
import { Layers, sectionsOf } from '../report/Layers';
import type { ReportDocument } from '../report/document';
import { Summary } from '../report/Summary';
import { api, Refused } from './api';
import { current, scenarioName } from './state';

interface Made {
  text: string; // that it is of
  document: ReportDocument | null;
  why: string;
}
const made = signal<Made | null>(null);

async function make(text: string, wanted: () => boolean) {
  let answer: Made;
  try {
    const blob = await api.report(text, scenarioName(), 'json');
    answer = { text, document: JSON.parse(await blob.text()) as ReportDocument, why: '' };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    answer = { text, document: null, why: error.message };
  }
  if (wanted()) made.value = answer;
}

export function ReportView() {
  const v = current.value;
  const text = v?.text.value ?? '';
  const ready = v !== undefined && !v.stale.value;
  useEffect(() => {
    if (!ready || made.value?.text === text) return;
    let wanted = true;
    void make(text, () => wanted);
    return () => {
      wanted = false;
    };
  }, [text, ready]);
  const now = made.value;
  const d = now?.document;
  if (v && v.errors.value.length > 0) return <p class="opening">The report waits for a text without errors.</p>;
  if (now && !d && now.text === text) return <p class="opening bad">No report: {now.why}</p>;
  if (!d)
    return (
      <p class="opening soft" role="status">
        Making the report …
      </p>
    );
  const failed = Object.entries(d.failed ?? {});
  return (
    <TraceContext.Provider value={traceOf(d.parts.check)}>
      <div class="report" aria-busy={now?.text !== text}>
        <h2>{d.name}</h2>
        {d.parts.check ? <Summary check={d.parts.check} /> : null}
        <Layers sections={sectionsOf(d)} />
        {failed.length > 0 && (
          <ul class="warn">
            {failed.map(([part, why]) => (
              <li key={part}>
                {part}: {why}
              </li>
            ))}
          </ul>
        )}
      </div>
    </TraceContext.Provider>
  );
}
