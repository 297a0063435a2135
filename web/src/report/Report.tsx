import type { ReportDocument } from './document';

export function Report({ document }: { document: ReportDocument }) {
  return <main>{document.name}</main>;
}
