import { useId } from "preact/hooks";
import { IconButton } from "../ui/button.tsx";
import { text } from "./messages.ts";
import type { MaskSession } from "./session.ts";

/** The slider's positions; sizes grow with the power of the position, so that small brushes can be set exactly. */
const POSITIONS = 100;

/** The tools of the mask editor. */
export function Toolbar({ session }: { readonly session: MaskSession }) {
  const tool = session.tool.value;
  return (
    <div class="mask-toolbar" role="toolbar" aria-label={text.tools()}>
      <IconButton
        icon="brush"
        label={text.brush()}
        pressed={tool === "brush"}
        onClick={() => {
          session.tool.value = "brush";
        }}
      />
      <IconButton
        icon="eraser"
        label={text.eraser()}
        pressed={tool === "eraser"}
        onClick={() => {
          session.tool.value = "eraser";
        }}
      />
      <BrushSize session={session} />
      <IconButton
        icon="undo"
        label={text.undo()}
        disabled={!session.canUndo.value}
        onClick={() => session.undo()}
      />
      <IconButton
        icon="redo"
        label={text.redo()}
        disabled={!session.canRedo.value}
        onClick={() => session.redo()}
      />
      <IconButton icon="delete" label={text.clear()} onClick={() => session.clear()} />
      <IconButton icon="invert" label={text.invert()} onClick={() => session.invert()} />
      <IconButton icon="minus" label={text.zoomOut()} onClick={() => session.stepZoom(-1)} />
      <IconButton icon="fit" label={text.fit()} onClick={() => session.fit()} />
      <IconButton icon="plus" label={text.zoomIn()} onClick={() => session.stepZoom(1)} />
    </div>
  );
}

function BrushSize({ session }: { readonly session: MaskSession }) {
  const id = useId();
  const size = session.brush.value;
  const position = (POSITIONS * Math.log(size)) / Math.log(session.maxBrush);
  return (
    <div class="brush-size">
      <label for={id}>{text.brushSize()}</label>
      <input
        id={id}
        type="range"
        min={0}
        max={POSITIONS}
        step="any"
        value={position}
        aria-valuetext={text.size(size)}
        onInput={({ currentTarget }) =>
          session.setBrush(session.maxBrush ** (Number(currentTarget.value) / POSITIONS))
        }
        onKeyDown={(event) => {
          const isUp = event.key === "ArrowRight" || event.key === "ArrowUp";
          if (!isUp && event.key !== "ArrowLeft" && event.key !== "ArrowDown") return;
          event.preventDefault();
          session.stepBrush(isUp ? 1 : -1);
        }}
      />
      <output for={id}>{text.size(size)}</output>
    </div>
  );
}
