// Opening, saving and sharing.
import { useEffect, useRef } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { signal } from '@preact/signals';
import { api } from './api';
import { dirty, download, fileName, tell, open, opened, refused, save, savedText, scenarioName, start } from './state';
import type { Variant } from './state';

/** A list of things to do behind a button; closes on Escape, on a choice and on leaving it. */
function Menu({ label, children }: { label: string; children: ComponentChildren }) {
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const shut = (event: Event) => {
      const element = box.current;
      if (!element?.open) return;
      if (event instanceof KeyboardEvent) {
        if (event.key !== 'Escape') return;
        element.open = false;
        element.querySelector('summary')?.focus();
      } else if (!element.contains(event.target as Node)) element.open = false;
    };
    document.addEventListener('keydown', shut);
    document.addEventListener('pointerdown', shut);
    document.addEventListener('focusin', shut);
    return () => {
      document.removeEventListener('keydown', shut);
      document.removeEventListener('pointerdown', shut);
      document.removeEventListener('focusin', shut);
    };
  }, []);
  return (
    <details class="menu" ref={box}>
      <summary>{label}</summary>
      <div
        onClick={(event) => {
          if ((event.target as Element).closest('button')) box.current!.open = false;
        }}
      >
        {children}
      </div>
    </details>
  );
}

const mayLose = () => !dirty.value || window.confirm('Leave the changes that are not saved?');

async function openTemplate(name: string) {
  if (!mayLose()) return;
  try {
    open((await api.template(name)).text);
    tell(`Opened the template ${name}.`);
  } catch (error) {
    refused(error);
  }
}

async function openFile(file: File | undefined) {
  if (!file || !mayLose()) return;
  open(await file.text());
  tell(`Opened ${file.name}.`);
}

/** The file of the server as it is on disk now. */
async function reopen() {
  if (!mayLose()) return;
  try {
    opened(await api.start());
  } catch (error) {
    refused(error);
  }
}

export function OpenMenu() {
  const input = useRef<HTMLInputElement>(null);
  return (
    <Menu label="Open">
      {start.value?.file && (
        <button type="button" onClick={() => void reopen()}>
          {start.value.file}, as on disk
        </button>
      )}
      <button type="button" onClick={() => input.current?.click()}>
        A file of this computer …
      </button>
      <input
        ref={input}
        type="file"
        accept=".yaml,.yml,text/yaml"
        hidden
        aria-label="Scenario file"
        onChange={(event) => {
          void openFile(event.currentTarget.files?.[0]);
          event.currentTarget.value = '';
        }}
      />
      <p class="soft small">Templates</p>
      {start.value?.templates.map((name) => (
        <button type="button" key={name} onClick={() => void openTemplate(name)}>
          {name}
        </button>
      ))}
    </Menu>
  );
}

export function FileMenu({ v }: { v: Variant }) {
  if (!start.value?.can_save) return null;
  return (
    <button
      type="button"
      disabled={v.text.value === savedText.value}
      title={`Writes ${start.value.file ?? ''} (Ctrl+S)`}
      onClick={() => void save(v)}
    >
      Save
    </button>
  );
}

const making = signal('');

async function report(v: Variant, format: string) {
  making.value = format;
  try {
    download(fileName(v, format), '', await api.report(v.text.value, scenarioName(), format));
    tell(`The report is in your downloads.`);
  } catch (error) {
    refused(error);
  }
  making.value = '';
}

function downloadText(v: Variant) {
  download(fileName(v, 'yaml'), 'text/yaml', v.text.value);
  v.kept.value = v.text.value;
}

async function share(v: Variant) {
  const file = new File([v.text.value], fileName(v, 'yaml'), { type: 'text/yaml' });
  try {
    await navigator.share({ files: [file], title: file.name });
  } catch {
    downloadText(v); // refused or not able: the file itself
  }
}

const formats: [string, string][] = [
  ['html', 'Report: one page for the meeting (HTML)'],
  ['xlsx', 'Workbook with live formulas (XLSX)'],
  ['json', 'Everything, for programs (JSON)'],
  ['csv', 'Limits and figures (CSV)'],
];

export function ShareMenu({ v }: { v: Variant }) {
  const can = typeof navigator.share === 'function';
  return (
    <Menu label={making.value ? `Making ${making.value} …` : 'Share'}>
      <button type="button" onClick={() => (can ? void share(v) : downloadText(v))}>
        Scenario (YAML)
      </button>
      {formats.map(([format, label]) => (
        <button type="button" key={format} disabled={v.errors.value.length > 0} onClick={() => void report(v, format)}>
          {label}
        </button>
      ))}
    </Menu>
  );
}
