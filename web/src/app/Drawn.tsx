// The answer of a verb in the pictures of the report.
import type { JsonObject } from '../kit/json';
import { object, objects } from '../kit/json';
import { More } from '../kit/parts';
import { HeadroomBars } from '../pictures/Headroom';
import { Tornado } from '../pictures/Money';
import { Layers, sectionsOf } from '../report/Layers';

const PARTS = ['chain', 'layout', 'gantt', 'supply', 'availability', 'transient'];

/** Under which name the report holds this answer (docs/report.md). */
export function partOf(verb: string, options: string[]): string {
  if (verb === 'facility') return PARTS.find((part) => options.includes(`--${part}`)) ?? 'year';
  if (verb === 'infer' && options.includes('--rate')) return 'curve';
  return verb;
}

function Pictures({ verb, options, document: doc }: { verb: string; options: string[]; document: JsonObject }) {
  if (verb === 'check')
    return (
      <>
        <Tornado check={doc} />
        <HeadroomBars check={doc} />
      </>
    );
  const parts = { [partOf(verb, options)]: doc };
  const sections = sectionsOf({ kind: 'headroom-report', version: '', name: '', scenario: '', parts });
  return <Layers sections={sections.filter((one) => one.id !== 'ground')} />;
}

/** Any answer as nested lists of its fields: nothing the engine said is hidden. */
function Fields({ value, depth }: { value: JsonObject; depth: number }) {
  return (
    <dl class="plain">
      {Object.entries(value).map(([key, field]) => {
        const list = Array.isArray(field) ? field : null;
        const numbers = list && list.length > 24 && list.every((x) => typeof x !== 'object');
        const inner = list && !numbers ? objects(field) : null;
        const deep = inner?.length
          ? inner
          : field !== null && typeof field === 'object' && !list
            ? [object(field)]
            : null;
        return (
          <div key={key}>
            <dt>{key.replaceAll('_', ' ')}</dt>
            <dd>
              {numbers ? (
                `${list.length} values`
              ) : !deep ? (
                list ? (
                  list.join(', ')
                ) : (
                  String(field ?? '–')
                )
              ) : depth > 5 ? (
                '…'
              ) : (
                <More title={deep.length > 1 || list ? `${deep.length} entries` : 'shown'}>
                  {deep.slice(0, 60).map((one, i) => (
                    <Fields key={i} value={one} depth={depth + 1} />
                  ))}
                </More>
              )}
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
      <More title="Every field of the answer">
        <Fields value={props.document} depth={0} />
      </More>
    </>
  );
}
