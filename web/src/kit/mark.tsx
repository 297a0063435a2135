// A part of a drawing that explains itself: reached by pointer, by keyboard and by tap, and read out.
import type { ComponentChildren } from 'preact';
import { useExplain, type Facts } from './trace';

/// `says` is read out in place of a part without words; one that holds text is read as it stands.
export function Mark(props: { says?: string; id?: string; facts?: Facts; children: ComponentChildren; class?: string }) {
  const handlers = useExplain(props.id, props.facts);
  const active = 'data-explains' in handlers;
  const label = props.says === undefined ? {} : { 'aria-label': props.says };
  const role = active ? { tabIndex: 0, role: 'button' as const } : props.says === undefined ? {} : { role: 'img' as const };
  return (
    <g class={props.class} {...role} {...label} {...handlers}>
      {props.children}
    </g>
  );
}
