import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { text } from "./messages.ts";
import { areShortcutsShown } from "./shortcuts.ts";

function close(): void {
  areShortcutsShown.value = false;
}

/** Each group with its shortcuts: alternatives of keys, and what they do. */
function groups(): readonly (readonly [string, readonly (readonly [string, string])[]])[] {
  return [
    [
      text.keysEverywhere(),
      [
        ["1 2 3", text.viewKeys()],
        ["?", text.helpKey()],
        ["Esc", text.closeKey()],
      ],
    ],
    [
      text.keysForm(),
      [
        ["Ctrl+Enter", text.generateKey()],
        ["Ctrl+↑ Ctrl+↓", text.weightKeys()],
      ],
    ],
    [
      text.keysGallery(),
      [
        ["← ↑ ↓ →", text.moveKeys()],
        ["Space", text.selectKey()],
        ["Ctrl+A", text.selectAllKey()],
        ["Delete", text.deleteKey()],
      ],
    ],
    [
      text.keysImage(),
      [
        ["← →", text.imageKeys()],
        ["Z", text.zoomKey()],
        ["Delete", text.deleteKey()],
      ],
    ],
    [
      text.keysMask(),
      [
        ["Ctrl+Z Ctrl+Y", text.undoKey()],
        ["[ ]", text.brushKeys()],
        ["B E", text.toolKeys()],
      ],
    ],
  ];
}

/** The list of keyboard shortcuts. */
export function ShortcutsHelp() {
  if (!areShortcutsShown.value) return null;
  return (
    <Dialog label={text.shortcuts()} class="shortcuts" onClose={close}>
      <h2>{text.shortcuts()}</h2>
      <div class="shortcut-groups">
        {groups().map(([name, shortcuts]) => (
          <section key={name}>
            <h3>{name}</h3>
            <dl>
              {shortcuts.map(([keys, meaning]) => (
                <div key={meaning}>
                  <dt>
                    {keys.split(" ").map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{meaning}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <Button onClick={close}>{text.close()}</Button>
    </Dialog>
  );
}
