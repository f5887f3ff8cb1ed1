import { type Point, valueAt } from "./bitmap.ts";
import { text } from "./messages.ts";
import type { MaskSession } from "./session.ts";
import { toViewport } from "./viewport.ts";

interface BrushCursorProps {
  readonly session: MaskSession;
  /** The pointer's place in the viewport; undefined if it is elsewhere. */
  readonly hover: Point | undefined;
}

/** The outline of the brush at the pointer or at the keyboard's cursor, which is also told to screen readers. */
export function BrushCursor({ session, hover }: BrushCursorProps) {
  const cursor = session.cursor.value;
  const at = cursor === undefined ? hover : toViewport(session.view.value, cursor);
  const size = Math.max(session.brush.value * session.view.value.scale, 3);
  const isPainted =
    session.revision.value >= 0 && cursor !== undefined && valueAt(session.bitmap, cursor) === 1;
  return (
    <>
      {at !== undefined && (
        <div
          class="brush-cursor"
          style={{
            width: `${size}px`,
            height: `${size}px`,
            transform: `translate(${at.x - size / 2}px, ${at.y - size / 2}px)`,
          }}
        />
      )}
      <p class="visually-hidden" role="status">
        {cursor !== undefined && text.cursor(Math.floor(cursor.x), Math.floor(cursor.y), isPainted)}
      </p>
    </>
  );
}
