import { fields, setField } from "../state/draft.ts";
import { FormField } from "./form-field.tsx";
import { editWeight } from "./weights.ts";

interface PromptFieldProps {
  readonly path: "prompt" | "negative_prompt";
  readonly rows: number;
}

/** A prompt. Ctrl+Up and Ctrl+Down change the weight of its words. */
export function PromptField({ path, rows }: PromptFieldProps) {
  return (
    <FormField path={path} canReset={false} hasHelp={path === "prompt"}>
      {(attributes) => (
        <textarea
          {...attributes}
          class="prompt"
          rows={rows}
          value={fields.value[path] ?? ""}
          aria-keyshortcuts="Control+ArrowUp Control+ArrowDown"
          onInput={(event) => setField(path, event.currentTarget.value || undefined)}
          onKeyDown={(event) => {
            const direction = DIRECTIONS[event.key];
            if (direction === undefined || !(event.ctrlKey || event.metaKey)) return;
            event.preventDefault();
            changeWeight(event.currentTarget, direction);
          }}
        />
      )}
    </FormField>
  );
}

const DIRECTIONS: Readonly<Record<string, 1 | -1 | undefined>> = { ArrowUp: 1, ArrowDown: -1 };

/** Edits the text in a way that the browser can undo. */
function changeWeight(area: HTMLTextAreaElement, direction: 1 | -1): void {
  const { value, selectionStart, selectionEnd } = area;
  const edited = editWeight({ text: value, start: selectionStart, end: selectionEnd }, direction);
  if (edited.text === value) return;
  let first = 0;
  while (first < value.length && value[first] === edited.text[first]) first += 1;
  let last = 0;
  const shorter = Math.min(value.length, edited.text.length) - first;
  while (last < shorter && value.at(-1 - last) === edited.text.at(-1 - last)) last += 1;
  area.setSelectionRange(first, value.length - last);
  document.execCommand("insertText", false, edited.text.slice(first, edited.text.length - last));
  area.setSelectionRange(edited.start, edited.end);
}
