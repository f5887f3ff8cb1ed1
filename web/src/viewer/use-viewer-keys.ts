import { useEffect, useRef } from "preact/hooks";

/**
 * Follows the keyboard while the viewer is open.
 *
 * @param onKey Does what a key asks for; returns whether it asks for anything.
 */
export function useViewerKeys(isActive: boolean, onKey: (key: string) => boolean): void {
  const latest = useRef(onKey);
  latest.current = onKey;
  useEffect(() => {
    if (!isActive) return;
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (latest.current(event.key)) event.preventDefault();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [isActive]);
}
