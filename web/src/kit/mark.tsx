// A part of a drawing that explains itself: reached by pointer, by keyboard and by tap, and read out.
import type { ComponentChildren } from 'preact';
import { useExplain, type Facts } from './trace';

export function Mark(props: { says: string; id?: string; facts?: Facts; children: ComponentChildren; class?: string }) {
  const handlers = useExplain(props.id, props.facts);
  const active = 'data-explains' in handlers;
  const rest = active ? { tabIndex: 0, role: 'button' as const, ...handlers } : { role: 'img' as const };
  return (
    <g class={props.class} aria-label={props.says} {...rest}>
      {props.children}
    </g>
  );
}
