import type { ComponentChildren } from 'preact';

interface SectionProps {
  readonly id: string;
  readonly title: string;
  /** A few words beside the title. */
  readonly note?: string;
  readonly tools?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** One part of the page under its heading. */
export function Section({ id, title, note, tools, children }: SectionProps) {
  return (
    <section id={id} aria-labelledby={`${id}-title`} class="part">
      <div class="part-head">
        <h2 id={`${id}-title`} tabIndex={-1}>
          {title}
        </h2>
        {note !== undefined && <p class="note">{note}</p>}
        {tools !== undefined && <div class="tools">{tools}</div>}
      </div>
      {children}
    </section>
  );
}
