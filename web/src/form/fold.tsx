import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { fields } from "../state/draft.ts";
import { readText, storeText } from "../state/stored.ts";
import { text } from "./messages.ts";

interface FoldProps {
  /** Identifies the fold: this browser remembers whether it was open. */
  readonly name: string;
  readonly label: string;
  /** The fields inside. */
  readonly names: readonly string[];
  readonly isOpenAtFirst?: boolean;
  readonly children: ComponentChildren;
}

/** A part of the form that is folded until it is needed. */
export function Fold({ name, label, names, isOpenAtFirst = false, children }: FoldProps) {
  const key = `fold:${name}`;
  const [initial] = useState(() => {
    const kept = readText(key);
    return kept === null ? isOpenAtFirst : kept === "open";
  });
  return (
    <details
      class="fold"
      open={initial}
      onToggle={(event) => storeText(key, event.currentTarget.open ? "open" : "folded")}
    >
      <summary>
        {label}
        <SetFields names={names} />
      </summary>
      <div class="fields">{children}</div>
    </details>
  );
}

/** How many of the fields the visitor has set. */
function SetFields({ names }: { readonly names: readonly string[] }) {
  const count = names.filter((name) => name in fields.value).length;
  return count === 0 ? null : <span class="fold-count">{text.setFields(count)}</span>;
}
