import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { IconButton } from "../ui/button.tsx";
import { text } from "./messages.ts";
import { errorAt } from "./refusal.ts";

interface AdapterRowProps {
  /** The path of the list's item. */
  readonly path: string;
  /** The property of the item that holds its name. */
  readonly named: string;
  readonly name: string;
  readonly onRemove: () => void;
  readonly children: ComponentChildren;
}

/** An adapter of a list with its settings. The API's error about its name stands below the name. */
export function AdapterRow({ path, named, name, onRemove, children }: AdapterRowProps) {
  const errorId = useId();
  const error = errorAt(path) ?? errorAt(`${path}/${named}`);
  return (
    <fieldset class="adapter" aria-describedby={error === undefined ? undefined : errorId}>
      <legend>{name}</legend>
      <IconButton icon="cancel" label={text.remove(name)} onClick={onRemove} />
      {error !== undefined && (
        <p id={errorId} class="field-error" role="alert">
          {error}
        </p>
      )}
      {children}
    </fieldset>
  );
}
