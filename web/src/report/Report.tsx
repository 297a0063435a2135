// The report: page one for those who decide, then every layer for those who build.
import { useEffect } from 'preact/hooks';
import { ExplainLayer, TraceContext, traceOf } from '../kit/trace';
import { object, objects, text, type Json } from '../kit/json';
import { margins } from '../pictures/Headroom';
import { Summary } from './Summary';
import { Layers, sectionsOf } from './Layers';
import type { ReportDocument } from './document';
import '../pictures/pictures.css';
import './report.css';

function Head({ document }: { document: ReportDocument }) {
  return (
    <header class="report-head">
      <p class="soft small">
        headroom {document.version}
        {document.date ? ` · ${document.date}` : ''}
        {document.file ? ` · ${document.file}` : ''}
      </p>
      <h1>{document.name}</h1>
    </header>
  );
}

/// Parts that could not be made, each with the reason; nothing is left out in silence.
function Failed({ failed }: { failed: Record<string, string> }) {
  const all = Object.entries(failed);
  if (all.length === 0) return null;
  return (
    <section class="card" aria-label="What could not be made">
      <h2>What could not be made</h2>
      <ul>
        {all.map(([part, why]) => (
          <li key={part}>
            <strong>{part}</strong>: {why}
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Report({ document: d }: { document: ReportDocument }) {
  const check: Json | undefined = d.parts.check;
  const trace = traceOf(...Object.values(d.parts));
  useEffect(() => {
    document.title = `${d.name}: headroom`;
  }, [d.name]);
  const sections = sectionsOf(d);
  return (
    <TraceContext.Provider value={trace}>
      <a class="skip" href="#layers">
        Skip to the layers
      </a>
      <main class="report">
        <Head document={d} />
        {check ? <Summary check={check} /> : null}
        <nav class="report-nav no-print" aria-label="Layers" id="layers">
          <ul>
            {sections.map((s) => (
              <li key={s.id}>
                <a href={`#${s.id}`}>{s.title}</a>
              </li>
            ))}
          </ul>
        </nav>
        <Layers sections={sections} />
        <Failed failed={d.failed ?? {}} />
      </main>
      <footer class="report small soft">
        Made by headroom {d.version} from {d.file ?? 'a scenario'}; {objects(object(check ?? null).trace).length} figures,{' '}
        {margins(check).length} limits. Every number explains itself: point at it, or reach it with the Tab key.{' '}
        {text(object(d.parts.year ?? null).weather)}
      </footer>
      <ExplainLayer />
    </TraceContext.Provider>
  );
}
