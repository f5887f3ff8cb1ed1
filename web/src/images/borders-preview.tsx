import { useEffect, useRef, useState } from "preact/hooks";
import { type Borders, borderOf, placement, SIDES, type Side } from "./borders.ts";
import type { ImageRef, Size } from "./image-ref.ts";
import { useObjectUrl } from "./use-object-url.ts";

interface BordersPreviewProps {
  readonly image: ImageRef;
  /** The size that the API gives the image. */
  readonly placed: Size;
  readonly borders: Borders;
  readonly onChange: (borders: Borders) => void;
}

interface Drag {
  readonly side: Side;
  readonly x: number;
  readonly y: number;
  readonly from: Borders;
}

/** The image in its new frame, whose sides can be pulled. While they are, the image stays where it is. */
export function BordersPreview({ image, placed, borders, onChange }: BordersPreviewProps) {
  const [room, setRoom] = useState<Size>({ width: 1, height: 1 });
  const [drag, setDrag] = useState<Drag>();
  const element = useRef<HTMLDivElement>(null);
  const url = useObjectUrl(image.blob);
  useEffect(() => followSize(element.current, setRoom), []);
  const { scale, x, y } = placement(placed, drag?.from ?? borders, room);
  const pull = (event: PointerEvent) => {
    if (drag === undefined) return;
    const pulled = pulledBy(drag, event) / scale;
    onChange({ ...drag.from, [drag.side]: borderOf(drag.from[drag.side] + pulled) });
  };
  const [width, height] = [placed.width * scale, placed.height * scale];
  const frame = {
    left: `${x - borders.left * scale}px`,
    top: `${y - borders.top * scale}px`,
    width: `${width + (borders.left + borders.right) * scale}px`,
    height: `${height + (borders.top + borders.bottom) * scale}px`,
  };
  return (
    <div ref={element} class="borders-preview" aria-hidden="true">
      <div class="borders-frame" style={frame}>
        {SIDES.map((side) => (
          <div
            key={side}
            class={`borders-handle borders-${side}`}
            onPointerDown={(event) => {
              event.currentTarget.setPointerCapture(event.pointerId);
              setDrag({ side, x: event.clientX, y: event.clientY, from: borders });
            }}
            onPointerMove={pull}
            onPointerUp={() => setDrag(undefined)}
            onPointerCancel={() => setDrag(undefined)}
          />
        ))}
      </div>
      {url !== undefined && (
        <img
          src={url}
          alt=""
          draggable={false}
          style={{ left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` }}
        />
      )}
    </div>
  );
}

/** How far the pointer has moved outward, in pixels of the page. */
function pulledBy({ side, x, y }: Drag, { clientX, clientY }: PointerEvent): number {
  const moved = side === "left" || side === "right" ? clientX - x : clientY - y;
  return side === "left" || side === "top" ? -moved : moved;
}

function followSize(element: HTMLElement | null, setSize: (size: Size) => void): (() => void) | undefined {
  if (element === null) return undefined;
  const observer = new ResizeObserver(() => {
    setSize({ width: element.clientWidth, height: element.clientHeight });
  });
  observer.observe(element);
  return () => observer.disconnect();
}
