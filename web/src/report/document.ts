// The report document (docs/report.md): what `headroom report` puts into the page.
import type { Json } from '../kit/json';

export interface ReportVariant {
  name: string;
  file?: string;
  scenario?: string;
  parts: Record<string, Json>;
}

export interface ReportDocument {
  kind: 'headroom-report';
  version: string;
  name: string;
  file?: string;
  date?: string | null;
  scenario: string;
  parts: Record<string, Json>;
  failed?: Record<string, string>;
  also?: ReportVariant[];
}
