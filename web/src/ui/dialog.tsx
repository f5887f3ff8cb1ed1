import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

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
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
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
    </dialog>
  );
}
