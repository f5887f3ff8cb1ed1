import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Notices } from "./notices.tsx";

/** The open dialogs, the uppermost last. It has the notices, since what is below it can be neither seen nor used. */
export const openDialogs = signal<readonly string[]>([]);

interface DialogProps {
  /** The accessible name. */
  readonly label: string;
  /** Called for Escape; undefined if the dialog cannot be closed without an answer. */
  readonly onClose?: (() => void) | undefined;
  readonly class?: string;
  readonly children: ComponentChildren;
}

/** A modal dialog, open while it is rendered; the browser keeps the focus inside and restores it. */
export function Dialog({ label, onClose, class: name, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    openDialogs.value = [...openDialogs.peek(), id];
    return () => {
      element?.close();
      openDialogs.value = openDialogs.peek().filter((each) => each !== id);
    };
  }, [id]);
  return (
    <dialog
      ref={dialog}
      class={name === undefined ? "dialog" : `dialog ${name}`}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
      onClose={({ currentTarget }) => {
        // Browsers close a dialog at a second Escape whatever the first one's handler did.
        if (currentTarget.isConnected && !currentTarget.open) currentTarget.showModal();
      }}
    >
      {children}
      {openDialogs.value.at(-1) === id && <Notices />}
    </dialog>
  );
}
