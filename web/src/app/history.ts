// Undo and redo of a text. Changes of the same thing in quick succession (a slider, a word being
// typed) are one step.
const MOST = 300; // steps kept
const PAUSE = 800; // ms after which the same thing begins a new step

export interface History {
  readonly past: readonly string[];
  readonly future: readonly string[];
  readonly what: string; // last changed
  readonly when: number;
}

export const fresh: History = { past: [], future: [], what: '', when: 0 };

export function changed(history: History, before: string, what: string, now: number): History {
  const same = what !== '' && what === history.what && now - history.when < PAUSE && history.past.length > 0;
  const past = same ? history.past : [...history.past, before].slice(-MOST);
  return { past, future: [], what, when: now };
}

export function undone(history: History, text: string): { history: History; text: string } | null {
  const before = history.past.at(-1);
  if (before === undefined) return null;
  return {
    text: before,
    history: { past: history.past.slice(0, -1), future: [...history.future, text], what: '', when: 0 },
  };
}

export function redone(history: History, text: string): { history: History; text: string } | null {
  const after = history.future.at(-1);
  if (after === undefined) return null;
  return {
    text: after,
    history: { past: [...history.past, text], future: history.future.slice(0, -1), what: '', when: 0 },
  };
}
