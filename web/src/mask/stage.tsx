import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { useObjectUrl } from "../images/use-object-url.ts";
import { boundsOf, type Point } from "./bitmap.ts";
import { BrushCursor } from "./brush-cursor.tsx";
import { Gestures, pointIn } from "./gestures.ts";
import { KeyboardBrush } from "./keys.ts";
import { text } from "./messages.ts";
import { Overlay } from "./overlay.ts";
import type { MaskSession } from "./session.ts";

interface StageProps {
  readonly session: MaskSession;
  readonly image: Blob;
  /** The id of the element that describes how to use it. */
  readonly describedBy: string;
}

/** The image with its mask above it, to paint on by pointer or keyboard. */
export function Stage({ session, image, describedBy }: StageProps) {
  const viewport = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const gestures = useMemo(() => new Gestures(session), [session]);
  const keyboard = useMemo(() => new KeyboardBrush(session), [session]);
  const hover = useSignal<Point | undefined>(undefined);
  const isMoving = useSignal(false);
  const url = useObjectUrl(image);
  useEffect(() => followSize(viewport.current, session), [session]);
  useEffect(() => showMask(canvas.current, session), [session]);
  const setMoving = (value: boolean) => {
    isMoving.value = value;
    gestures.isMoving = value;
  };
  const release = () => {
    setMoving(false);
    keyboard.release();
  };
  const { scale, x, y } = session.view.value;
  const { width, height } = session.bitmap;
  return (
    <div
      ref={viewport}
      class={isMoving.value ? "mask-viewport mask-moving" : "mask-viewport"}
      role="application"
      aria-label={text.canvas()}
      aria-describedby={describedBy}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: an application takes the keyboard
      tabIndex={0}
      onPointerDown={(event) => gestures.down(event)}
      onPointerMove={(event) => {
        hover.value = event.pointerType === "touch" ? undefined : pointIn(event.currentTarget, event);
        gestures.move(event);
      }}
      onPointerUp={(event) => gestures.up(event)}
      onPointerCancel={(event) => gestures.cancel(event)}
      onPointerLeave={() => {
        hover.value = undefined;
      }}
      onWheel={(event) => gestures.wheel(event)}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (event.key !== " ") {
          if (!keyboard.move(event)) return;
          hover.value = undefined;
        } else if (hover.value !== undefined) setMoving(true);
        else keyboard.press();
        event.preventDefault();
      }}
      onKeyUp={(event) => event.key === " " && release()}
      onBlur={release}
    >
      <div
        class="mask-content"
        style={{
          width: `${width}px`,
          height: `${height}px`,
          transform: `translate(${x}px, ${y}px) scale(${scale})`,
        }}
      >
        {url !== undefined && <img src={url} alt="" draggable={false} />}
        <canvas ref={canvas} />
      </div>
      <BrushCursor session={session} hover={hover.value} />
    </div>
  );
}

function followSize(viewport: HTMLDivElement | null, session: MaskSession): (() => void) | undefined {
  if (viewport === null) return undefined;
  const observer = new ResizeObserver(() => {
    session.resize({ width: viewport.clientWidth, height: viewport.clientHeight });
  });
  observer.observe(viewport);
  return () => observer.disconnect();
}

function showMask(canvas: HTMLCanvasElement | null, session: MaskSession): (() => void) | undefined {
  if (canvas === null) return undefined;
  const overlay = new Overlay(canvas, session.bitmap);
  overlay.show(boundsOf(session.bitmap));
  return session.subscribe((rect) => overlay.show(rect));
}
