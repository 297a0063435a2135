// Page one, for those who decide: does it fit, what breaks first, what lifts it for how much and
// when, what the product costs, and one picture.
import { HeadroomList, margins, standing, type Margin, type Remedy } from '../pictures/Headroom';
import { Card } from '../kit/parts';
import { Amount, Num } from '../kit/trace';
import { formatHeadroom, formatPair, formatScaled } from '../kit/format';
import { figures, object, text, type Figure, type Json } from '../kit/json';

function Lifts({ remedies }: { remedies: Remedy[] }) {
  if (remedies.length === 0) return <p class="soft">No single change in the catalogue lifts it.</p>;
  return (
    <ul class="lifts">
      {remedies.map((r) => (
        <li key={r.action}>
          {r.action}
          <span class="lift-facts">
            {r.costUsd !== undefined && (
              <span>
                <span class="soft">cost</span> <Num facts={{ title: 'cost of the change', value: formatScaled(r.costUsd, 'USD'), rows: [['source', r.source ?? 'the catalogue']] }}>{formatScaled(r.costUsd, 'USD')}</Num>
              </span>
            )}
            {r.leadWeeks !== undefined && (
              <span>
                <span class="soft">lead time</span> <Num facts={{ title: 'lead time', value: formatScaled(r.leadWeeks, 'wk'), rows: [['source', r.source ?? 'the catalogue']] }}>{formatScaled(r.leadWeeks, 'wk')}</Num>
              </span>
            )}
            {r.costUsd === undefined && r.leadWeeks === undefined && <span class="soft">cost and lead time not known</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Limit({ margin }: { margin: Margin }) {
  const [need, have] = formatPair(margin.need, margin.have, margin.unit);
  return (
    <div class="limit">
      <h3>
        {margin.limit} <span class={standing(margin)}>{formatHeadroom(margin.headroom)}</span>
      </h3>
      <p>
        <span class="soft">{margin.layer}: need</span> <Num id={margin.needId}>{need}</Num>
        {have && (
          <>
            {' '}
            <span class="soft">of</span> <Num id={margin.haveId}>{have}</Num>
          </>
        )}
        . {margin.why}
      </p>
      <h4 class="soft small">What lifts it</h4>
      <Lifts remedies={margin.remedies} />
    </div>
  );
}

/// The figures a board asks for, those that the scenario has.
function keyFigures(check: Json): Figure[] {
  const money = figures(object(check).money);
  const energy = figures(object(check).energy);
  const carbon = figures(object(check).carbon);
  const product = money.filter((f) => /_per_(token|run|output|image|clip)$/.test(f.key));
  const pick = (list: Figure[], key: string) => list.filter((f) => f.key === key);
  return [
    ...product,
    ...pick(money, 'capital'),
    ...pick(money, 'operating'),
    ...pick(money, 'per_used_gpu_hour'),
    ...pick(energy, 'meter_max'),
    ...pick(energy, 'pue'),
    ...pick(energy, 'year'),
    ...pick(carbon, 'location').map((f) => ({ ...f, label: `carbon, ${f.label}` })),
  ].slice(0, 10);
}

export function Verdict({ check }: { check: Json }) {
  const all = margins(check);
  const short = all.filter((m) => !m.holds);
  const binding = all.find((m) => m.id === text(object(check).binding)) ?? all[0];
  const shown = short.length > 0 ? short.slice(0, 3) : binding ? [binding] : [];
  const fits = short.length === 0;
  return (
    <section class={`card verdict ${fits ? 'fits' : 'short'}`} aria-labelledby="verdict">
      <h2 id="verdict">
        <span class={fits ? 'good' : 'bad'}>{fits ? 'It fits.' : 'It does not fit.'}</span>{' '}
        {fits
          ? binding
            ? `Of ${all.length} limits, ${binding.limit} binds first, with ${formatHeadroom(binding.headroom)} left.`
            : 'No limit was asked.'
          : `${short.length} of ${all.length} limits fall${short.length === 1 ? 's' : ''} short; the first is ${short[0]?.limit}.`}
      </h2>
      {shown.map((m) => (
        <Limit key={m.id} margin={m} />
      ))}
      {short.length > shown.length && <p class="soft">and {short.length - shown.length} more, in the picture below.</p>}
    </section>
  );
}

export function KeyFigures({ check }: { check: Json }) {
  const list = keyFigures(check);
  if (list.length === 0) return null;
  return (
    <section class="card" aria-labelledby="key-figures">
      <h2 id="key-figures" class="visually-hidden">
        Key figures
      </h2>
      <dl class="keys">
        {list.map((f) => (
          <div key={f.key}>
            <dt>{f.label.trim()}</dt>
            <dd>
              <Amount value={f.value} unit={f.unit} id={f.id} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

export function Summary({ check }: { check: Json }) {
  const all = margins(check);
  return (
    <div class="page-one">
      <Verdict check={check} />
      <KeyFigures check={check} />
      {all.length > 0 && (
        <Card title="Headroom of every limit" level={2} says="What there is over what is needed, less one; least first." note="Red and hatched falls short, amber is within 10 %. Underlined numbers explain themselves.">
          <HeadroomList list={all} most={16} />
        </Card>
      )}
    </div>
  );
}
