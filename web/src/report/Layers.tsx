// What engineers read: every layer with its pictures, from the parts that the document has.
import type { ComponentChildren } from 'preact';
import { object, objects, text, type Json, type JsonObject } from '../kit/json';
import { Availability, Transient } from '../pictures/Availability';
import { CoolingLoop, HeatOut } from '../pictures/Cooling';
import { EnergySankey, MoneySankey } from '../pictures/Energy';
import { Fabric } from '../pictures/Fabric';
import { HallLayout } from '../pictures/Hall';
import { Changes, LoadCurve, ServeRun, inferRuns } from '../pictures/Infer';
import { Bill, CashFlow, CostSplit, Paths, Tornado } from '../pictures/Money';
import { Gantt } from '../pictures/Plan';
import { PowerChain } from '../pictures/Power';
import { Losses } from '../pictures/PowerTables';
import { PriceDuration, SupplyYear } from '../pictures/Supply';
import { Claims, FiguresTable, Plans, Remarks, ScenarioText, Section } from '../pictures/Tables';
import { MemoryByItem, ParetoPlans, RunFigures, StepParts, StepTimeline, trainRuns } from '../pictures/Train';
import { YearHeatMap, YearMonths } from '../pictures/Year';
import { Beside } from './Beside';
import type { ReportDocument } from './document';

export interface LayerSection {
  id: string;
  title: string;
  body: ComponentChildren;
}

function TrainRun({ run }: { run: JsonObject }) {
  return (
    <>
      <StepTimeline run={run} />
      <StepParts run={run} />
      <MemoryByItem memory={object(run.memory)} title={`Memory of a GPU, ${text(run.workload) ?? ''}`} />
      <ParetoPlans run={run} />
      <RunFigures run={run} />
      <Changes run={run} />
    </>
  );
}

const has = (v: Json | undefined): v is Json => v !== undefined && v !== null;

function works(parts: Record<string, Json>): LayerSection[] {
  const runs = trainRuns(parts.train).filter((r) => r.laid_out !== false);
  const serving = inferRuns(parts.infer);
  const curves = inferRuns(parts.curve);
  return [
    ...(runs.length
      ? [{ id: 'training', title: 'Training', body: runs.map((run, i) => <TrainRun key={i} run={run} />) }]
      : []),
    ...(serving.length || curves.length
      ? [
          {
            id: 'serving',
            title: 'Serving',
            body: (
              <>
                {curves.map((run, i) => <LoadCurve key={`c${i}`} run={run} />)}
                {serving.map((run, i) => <ServeRun key={`s${i}`} run={run} />)}
              </>
            ),
          },
        ]
      : []),
  ];
}

/// The sections that this document has something to say in, in the order of the stack.
export function sectionsOf(d: ReportDocument): LayerSection[] {
  const p = d.parts;
  const check = p.check ?? null;
  const figures = p.figures;
  const also = (d.also ?? []).filter((o) => has(o.parts.check));
  const out: LayerSection[] = [
    ...(also.length ? [{ id: 'beside', title: 'Side by side', body: also.map((o, i) => <Beside key={i} document={d} other={o} />) }] : []),
    ...works(p),
  ];
  if (objects(object(figures ?? null).fabric).some((c) => objects(c.networks).length > 0))
    out.push({ id: 'network', title: 'Network', body: <Fabric figures={figures} /> });
  if (has(p.chain)) out.push({ id: 'power', title: 'Power', body: <><PowerChain chain={p.chain} /><Losses chain={p.chain} /></> });
  if (has(p.year))
    out.push({
      id: 'cooling',
      title: 'Cooling and the year',
      body: (
        <>
          <CoolingLoop figures={figures} />
          <YearHeatMap year={p.year} />
          <EnergySankey year={p.year} figures={figures} />
          <HeatOut year={p.year} />
          <Section title="Energy" of={object(check).energy} />
          <Section title="Carbon" of={object(check).carbon} />
          <Section title="Water" of={object(check).water} />
          <YearMonths year={p.year} />
        </>
      ),
    });
  else if (Object.keys(object(object(check).energy)).length > 0)
    out.push({
      id: 'cooling',
      title: 'Energy and water',
      body: (
        <>
          <EnergySankey figures={figures} />
          <Section title="Energy" of={object(check).energy} />
          <Section title="Carbon" of={object(check).carbon} />
          <Section title="Water" of={object(check).water} />
        </>
      ),
    });
  if (has(p.supply))
    out.push({
      id: 'supply',
      title: 'Energy supply',
      body: (
        <>
          <SupplyYear supply={p.supply} />
          <PriceDuration supply={p.supply} />
        </>
      ),
    });
  if (has(p.layout)) out.push({ id: 'building', title: 'Building', body: <HallLayout layout={p.layout} /> });
  if (has(p.availability) || has(p.transient))
    out.push({
      id: 'reliability',
      title: 'Reliability',
      body: (
        <>
          {has(p.availability) && <Availability availability={p.availability} />}
          {has(p.transient) && <Transient transient={p.transient} />}
        </>
      ),
    });
  if (has(p.gantt)) out.push({ id: 'time', title: 'Time', body: <Gantt gantt={p.gantt} /> });
  if (Object.keys(object(object(check).money)).length > 0)
    out.push({
      id: 'money',
      title: 'Money',
      body: (
        <>
          <MoneySankey figures={figures} />
          <CashFlow check={check} />
          <CostSplit check={check} figures={figures} />
          <Tornado check={check} figures={figures} />
          <Paths check={check} />
          <Section title="Money" of={object(check).money} />
          <Bill check={check} />
        </>
      ),
    });
  out.push({
    id: 'ground',
    title: 'What it rests on',
    body: (
      <>
        <Remarks parts={p} />
        <Plans check={check} />
        <FiguresTable check={check} />
        {has(p.claims) && <Claims claims={p.claims} />}
        <ScenarioText scenario={d.scenario} file={d.file} />
      </>
    ),
  });
  return out;
}

export function Layers({ sections }: { sections: LayerSection[] }) {
  return (
    <>
      {sections.map((s) => (
        <section key={s.id} id={s.id} class="layer" aria-labelledby={`${s.id}-head`}>
          <h2 id={`${s.id}-head`}>{s.title}</h2>
          <div class="cards">{s.body}</div>
        </section>
      ))}
    </>
  );
}
