import type { Model } from "../api/types.ts";
import { fields } from "../state/draft.ts";
import { inputImage } from "../state/draft-images.ts";
import { IconButton } from "../ui/button.tsx";
import { text } from "./messages.ts";
import { isShown } from "./refusal.ts";
import { type Shape, shapesOf } from "./shapes.ts";

const ICON_UNITS = 20;

/** The aspect ratio: common ones, or with an input image the image's own. */
export function ShapeField({ model }: { readonly model: Model }) {
  if (!isShown("width")) return null;
  const follows = inputImage.value !== undefined;
  const { width, height } = sizeOf(model);
  const isUnset = fields.value.width == null && fields.value.height == null;
  const choose = (shape: Shape) => {
    const isDefault = shape.width === model.defaults.width && shape.height === model.defaults.height;
    setSize(isDefault && !follows ? undefined : shape);
  };
  return (
    <fieldset class="shapes">
      <legend>{text.size()}</legend>
      {follows && (
        <ShapeChoice
          label={text.image()}
          size={inputImage.value?.size ?? model.defaults}
          isChosen={isUnset}
          onChoose={() => setSize(undefined)}
        />
      )}
      {shapesOf(model).map((shape) => (
        <ShapeChoice
          key={shape.label}
          label={shape.label}
          size={shape}
          isChosen={!(follows && isUnset) && shape.width === width && shape.height === height}
          onChoose={() => choose(shape)}
        />
      ))}
      <p class="shapes-size">
        {follows && isUnset ? text.asImage() : `${width} × ${height}`}
        <IconButton
          icon="swap"
          label={text.swap()}
          disabled={(follows && isUnset) || width === height}
          onClick={() => setSize({ width: height, height: width })}
        />
      </p>
    </fieldset>
  );
}

interface Size {
  readonly width: number;
  readonly height: number;
}

interface ShapeChoiceProps {
  readonly label: string;
  readonly size: Size;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}

function ShapeChoice({ label, size: { width, height }, isChosen, onChoose }: ShapeChoiceProps) {
  const scale = (ICON_UNITS - 4) / Math.max(width, height);
  const [across, down] = [width * scale, height * scale];
  return (
    <label class="shape" title={`${width} × ${height}`}>
      <input type="radio" name="shape" checked={isChosen} onChange={onChoose} />
      <svg class="icon" viewBox={`0 0 ${ICON_UNITS} ${ICON_UNITS}`} aria-hidden="true" focusable="false">
        <rect x={(ICON_UNITS - across) / 2} y={(ICON_UNITS - down) / 2} width={across} height={down} />
      </svg>
      {label}
    </label>
  );
}

function sizeOf(model: Model): Size {
  const { width, height } = fields.value;
  return { width: width ?? model.defaults.width, height: height ?? model.defaults.height };
}

function setSize(size: Size | undefined): void {
  const { width: _width, height: _height, ...others } = fields.value;
  fields.value = size === undefined ? others : { ...others, width: size.width, height: size.height };
}
