import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { text } from "./messages.ts";

interface FoldProps {
  /** Identifies the fold: this browser remembers whether it was open. */
  readonly name: string;
  readonly label: string;
  /** Number of fields inside that the visitor has set. */
  readonly count: number;
  readonly isOpenAtFirst?: boolean;
  readonly children: ComponentChildren;
}

/** A part of the form that is folded until it is needed. */
export function Fold({ name, label, count, isOpenAtFirst = false, children }: FoldProps) {
  const key = `fold:${name}`;
  const [initial] = useState(() => {
    const kept = localStorage.getItem(key);
    return kept === null ? isOpenAtFirst : kept === "open";
  });
  return (
    <details
      class="fold"
      open={initial}
      onToggle={(event) => localStorage.setItem(key, event.currentTarget.open ? "open" : "folded")}
    >
      <summary>
        {label}
        {count > 0 && <span class="fold-count">{text.setFields(count)}</span>}
      </summary>
      <div class="fields">{children}</div>
    </details>
  );
}
