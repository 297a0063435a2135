// What each loss in the power chain does, and where its nameplate goes (facility --chain --json).
import { Card, More, Table } from '../kit/parts';
import { formatNumber, formatScaled, percent } from '../kit/format';
import { at, number, object, objects, text, texts, type Json, type JsonObject } from '../kit/json';

const lostName = (c: JsonObject) => {
  const names = objects(c.lost).map((l) => `${text(l.node) ?? ''}${(number(l.units) ?? 1) > 1 ? ` (${number(l.units)} units)` : ''}`);
  return [...names, ...(c.mains === false ? ['all mains'] : [])].join(' and ');
};
const watts = (v: Json | undefined) => ((number(v) ?? 0) > 0 ? formatScaled(number(v) ?? 0, 'W') : '–');

/// Each node lost once, chosen pairs too: only what costs racks or overloads something is listed.
export function Losses({ chain }: { chain: Json }) {
  const c = object(at(chain, 'chain'));
  const cases = [...objects(c.single), ...objects(object(c.double).cases)];
  const tried = number(c.cases) ?? cases.length;
  const harm = [...cases, ...objects(c.banks)].filter(
    (x) => (number(x.dropped_racks) ?? 0) > 0 || (number(x.tripped_racks) ?? 0) > 0 || (Array.isArray(x.overloaded) && x.overloaded.length > 0),
  );
  if (cases.length === 0) return null;
  const names = (v: Json | undefined) => (texts(v).length ? texts(v) : objects(v).map((o) => text(o.node) ?? text(o.name) ?? '')).join(', ');
  return (
    <Card
      title="Every part lost once"
      says={harm.length === 0 ? `${formatNumber(tried)} losses tried, none harms a rack.` : `${formatNumber(tried)} losses tried; these harm racks.`}
      wide
    >
      {harm.length > 0 && (
        <Table
          caption="Losses that harm racks"
          rows={harm}
          columns={[
            { head: 'lost', cell: lostName },
            { head: 'racks dropped', number: true, cell: (x) => formatNumber(number(x.dropped_racks) ?? 0) },
            { head: 'load dropped', number: true, cell: (x) => watts(x.dropped_w) },
            { head: 'racks tripped', number: true, cell: (x) => formatNumber(number(x.tripped_racks) ?? 0) },
            { head: 'load tripped', number: true, cell: (x) => watts(x.tripped_w) },
            { head: 'overloaded', cell: (x) => names(x.overloaded) },
          ]}
        />
      )}
      <Stranded stages={objects(c.stages)} />
    </Card>
  );
}

const CAUSES: [string, string][] = [
  ['derating_w', 'derating'],
  ['phases_w', 'phases'],
  ['uneven_w', 'uneven'],
  ['sides_w', 'A/B'],
  ['reserve_w', 'reserve'],
  ['mismatch_w', 'mismatch'],
  ['cooling_w', 'cooling'],
  ['rounding_w', 'rounding'],
  ['left_w', 'left'],
  ['load_w', 'load'],
];

/// Where the nameplate of each stage goes: stranded by cause, left, and load.
function Stranded({ stages }: { stages: JsonObject[] }) {
  if (stages.length === 0) return null;
  return (
    <More title="Where the nameplate goes" paper>
      <Table
        caption="Nameplate of each stage by what takes it"
        rows={stages}
        columns={[
          { head: 'stage', cell: (s) => text(s.stage) ?? '' },
          { head: 'nameplate', number: true, cell: (s) => watts(s.nameplate_w) },
          ...CAUSES.map(([key, head]) => ({
            head,
            number: true,
            cell: (s: JsonObject) => ((number(s[key]) ?? 0) >= 1 ? formatScaled(number(s[key]) ?? 0, 'W', 3) : '–'),
          })),
          { head: 'full', number: true, cell: (s) => percent(number(s.fill) ?? 0, 0) },
        ]}
      />
    </More>
  );
}
