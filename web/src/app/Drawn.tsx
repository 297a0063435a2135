// The answer of a verb in the pictures of the report.
import type { JsonObject } from '../kit/json';
import { object, objects } from '../kit/json';
import { More } from '../kit/parts';
import { EnergySankey } from '../pictures/Energy';
import { HallLayout } from '../pictures/Hall';
import { HeadroomBars } from '../pictures/Headroom';
import { Changes, LoadCurve, ServeRun } from '../pictures/Infer';
import { Tornado } from '../pictures/Money';
import { PowerChain } from '../pictures/Power';
import { MemoryByItem, ParetoPlans, RunFigures, StepParts, StepTimeline } from '../pictures/Train';
import { YearHeatMap, YearMonths } from '../pictures/Year';

function Train({ run }: { run: JsonObject }) {
  return (
    <>
      <StepTimeline run={run} />
      <StepParts run={run} />
      <MemoryByItem memory={object(run.memory)} />
      <ParetoPlans run={run} />
      <RunFigures run={run} />
      <Changes run={run} />
    </>
  );
}

function Facility({ options, document: doc }: { options: string[]; document: JsonObject }) {
  if (options.includes('--layout')) return <HallLayout layout={doc} />;
  if (options.includes('--chain')) return <PowerChain chain={doc} />;
  if (!doc.year) return null;
  return (
    <>
      <EnergySankey year={doc} />
      <YearHeatMap year={doc} />
      <YearMonths year={doc} />
    </>
  );
}

function Pictures({ verb, options, document: doc }: { verb: string; options: string[]; document: JsonObject }) {
  if (verb === 'check') return <><Tornado check={doc} /><HeadroomBars check={doc} /></>;
  if (verb === 'facility') return <Facility options={options} document={doc} />;
  const runs = objects(doc.runs);
  if (verb === 'train') return <>{runs.map((run, i) => <Train key={i} run={run} />)}</>;
  if (verb === 'infer') return <>{runs.map((run, i) => <div class="outcome" key={i}><LoadCurve run={run} /><ServeRun run={run} /></div>)}</>;
  return null;
}

/** Any answer as nested lists of its fields: nothing the engine said is hidden. */
function Fields({ value, depth }: { value: JsonObject; depth: number }) {
  return (
    <dl class="plain">
      {Object.entries(value).map(([key, field]) => {
        const list = Array.isArray(field) ? field : null;
        const numbers = list && list.length > 24 && list.every((x) => typeof x !== 'object');
        const inner = list && !numbers ? objects(field) : null;
        const deep = inner?.length ? inner : field !== null && typeof field === 'object' && !list ? [object(field)] : null;
        return (
          <div key={key}>
            <dt>{key.replaceAll('_', ' ')}</dt>
            <dd>
              {numbers ? `${list.length} values` : !deep ? (list ? list.join(', ') : String(field ?? '–'))
                : depth > 5 ? '…'
                : <More title={deep.length > 1 || list ? `${deep.length} entries` : 'shown'}>{deep.slice(0, 60).map((one, i) => <Fields key={i} value={one} depth={depth + 1} />)}</More>}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

export function Drawn(props: { verb: string; options: string[]; document: JsonObject }) {
  return (
    <>
      <Pictures {...props} />
      <More title="Every field of the answer"><Fields value={props.document} depth={0} /></More>
    </>
  );
}
