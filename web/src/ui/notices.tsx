import { messages } from "../i18n/messages.ts";
import { dismiss, notices } from "../state/notices.ts";
import { IconButton } from "./button.tsx";

const text = messages({ dismiss: { en: "Dismiss", zh: "关闭" } });

/** The notices, announced by screen readers. */
export function Notices() {
  return (
    <div class="notices" aria-live="polite">
      {notices.value.map(({ id, kind, text: sentence }) => (
        <div key={id} class={`notice notice-${kind}`}>
          <p>{sentence}</p>
          <IconButton icon="cancel" label={text.dismiss()} onClick={() => dismiss(id)} />
        </div>
      ))}
    </div>
  );
}
