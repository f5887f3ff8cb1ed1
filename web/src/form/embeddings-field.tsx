import { adapterNames } from "../state/catalog.ts";
import { fields, setField } from "../state/draft.ts";
import { IconButton } from "../ui/button.tsx";
import { text } from "./messages.ts";
import { NamesField } from "./names-field.tsx";

/** The textual inversions; a prompt uses those that it names. */
export function EmbeddingsField() {
  return (
    <NamesField
      path="embeddings"
      options={adapterNames("embedding")}
      actionOf={(name) => <IconButton icon="plus" label={text.insert(name)} onClick={() => insert(name)} />}
    />
  );
}

/** Appends a name to the prompt, where brackets would be weights. */
function insert(name: string): void {
  const prompt = fields.value.prompt ?? "";
  const escaped = name.replace(/[()[\]\\]/g, "\\$&");
  setField("prompt", prompt === "" ? escaped : `${prompt}, ${escaped}`);
}
