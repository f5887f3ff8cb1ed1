import { useState } from "preact/hooks";
import { draftModel, fields, setField } from "../state/draft.ts";
import { maskImage, setMaskImage } from "../state/draft-images.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Field } from "../ui/field.tsx";
import { FieldError } from "../ui/field-error.tsx";
import {
  BORDER,
  type Borders,
  borderOf,
  bordersOf,
  extendedSize,
  isUnchanged,
  placedSize,
  SIDES,
} from "./borders.ts";
import { BordersPreview } from "./borders-preview.tsx";
import type { EditorProps } from "./editors.ts";
import { text } from "./messages.ts";

/** A dialog to choose by how much the input image is extended on each side. */
export function BordersEditor({ image, size, onClose }: EditorProps) {
  const [borders, setBorders] = useState(bordersOf(fields.value.outpaint));
  const model = draftModel.value;
  if (model === undefined) return null;
  const placed = placedSize(size, model);
  const extended = extendedSize(placed, borders);
  const { min_size: least, max_size: most } = model.limits;
  const isWithin =
    Math.min(extended.width, extended.height) >= least && Math.max(extended.width, extended.height) <= most;
  const accept = () => {
    const isNone = isUnchanged(borders);
    if (!isNone) setMaskImage(undefined);
    setField("outpaint", isNone ? undefined : borders);
    onClose();
  };
  return (
    <Dialog label={text.borders()} class="borders-dialog" onClose={onClose}>
      <h2>{text.borders()}</h2>
      <p class="field-help">{text.bordersHelp()}</p>
      <BordersPreview image={image} placed={placed} borders={borders} onChange={setBorders} />
      <BorderFields borders={borders} onChange={setBorders} />
      <p role="status">{text.newSize(extended.width, extended.height)}</p>
      <FieldError error={isWithin ? undefined : text.outsideLimits(least, most)} />
      {maskImage.value !== undefined && <p class="field-help">{text.removesMask()}</p>}
      <div class="dialog-actions">
        <Button onClick={onClose}>{text.cancel()}</Button>
        <Button kind="primary" disabled={!isWithin} onClick={accept}>
          {text.acceptBorders()}
        </Button>
      </div>
    </Dialog>
  );
}

interface BorderFieldsProps {
  readonly borders: Borders;
  readonly onChange: (borders: Borders) => void;
}

function BorderFields({ borders, onChange }: BorderFieldsProps) {
  return (
    <div class="border-fields">
      {SIDES.map((side) => (
        <Field key={side} label={text[side]()}>
          {(attributes) => (
            <input
              {...attributes}
              type="number"
              inputMode="numeric"
              min={BORDER.minimum}
              max={BORDER.maximum}
              step={BORDER.multipleOf}
              value={borders[side]}
              onChange={({ currentTarget }) => {
                const pixels = borderOf(Number(currentTarget.value));
                currentTarget.value = String(pixels);
                onChange({ ...borders, [side]: pixels });
              }}
            />
          )}
        </Field>
      ))}
    </div>
  );
}
