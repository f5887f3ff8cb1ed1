import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { text } from "./messages.ts";
import { areShortcutsShown } from "./shortcuts.ts";

function close(): void {
  areShortcutsShown.value = false;
}

/** The list of keyboard shortcuts. */
export function ShortcutsHelp() {
  if (!areShortcutsShown.value) return null;
  const shortcuts: readonly (readonly [readonly string[], string])[] = [
    [["Ctrl", "Enter"], text.generateKey()],
    [["1", "2", "3"], text.viewKeys()],
    [["←", "→"], text.imageKeys()],
    [["Esc"], text.closeKey()],
    [["?"], text.helpKey()],
  ];
  return (
    <Dialog label={text.shortcuts()} class="shortcuts" onClose={close}>
      <h2>{text.shortcuts()}</h2>
      <dl>
        {shortcuts.map(([keys, meaning]) => (
          <div key={meaning}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <Button onClick={close}>{text.close()}</Button>
    </Dialog>
  );
}
