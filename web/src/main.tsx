// One bundle, two uses: a report where data stands in the page, else the app of `headroom ui`.
import './kit/theme.css';
import { render } from 'preact';
import { App } from './app/App';
import { Report } from './report/Report';
import type { ReportDocument } from './report/document';

const held = document.getElementById('headroom-data')?.textContent?.trim() ?? 'null';
const data = JSON.parse(held) as ReportDocument | null;
const root = document.getElementById('page');
if (root) render(data ? <Report document={data} /> : <App />, root);
