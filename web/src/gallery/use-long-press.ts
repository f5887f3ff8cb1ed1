import type { ButtonHTMLAttributes } from "preact";
import { useMemo, useRef } from "preact/hooks";

const LONG_MS = 500;
/** A finger that moves farther scrolls. */
const STILL_PX = 10;

interface LongPress {
  readonly handlers: ButtonHTMLAttributes<HTMLButtonElement>;
  /** Whether the click that follows belongs to a long press; asking resets it. */
  readonly takesClick: () => boolean;
}

/** Long presses with a finger or a pen. */
export function useLongPress(onLongPress: () => void): LongPress {
  const latest = useRef(onLongPress);
  latest.current = onLongPress;
  return useMemo(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let wasLong = false;
    let start = { x: 0, y: 0 };
    const stop = (): void => clearTimeout(timer);
    return {
      takesClick: () => {
        const taken = wasLong;
        wasLong = false;
        return taken;
      },
      handlers: {
        onPointerDown: ({ pointerType, clientX, clientY }) => {
          wasLong = false;
          stop();
          if (pointerType === "mouse") return;
          start = { x: clientX, y: clientY };
          timer = setTimeout(() => {
            wasLong = true;
            latest.current();
          }, LONG_MS);
        },
        onPointerMove: ({ clientX, clientY }) => {
          if (Math.hypot(clientX - start.x, clientY - start.y) > STILL_PX) stop();
        },
        onPointerUp: stop,
        onPointerCancel: stop,
        onPointerLeave: stop,
        onContextMenu: (event) => {
          if (wasLong) event.preventDefault();
        },
      },
    };
  }, []);
}
