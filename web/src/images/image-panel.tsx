import { fields, setField } from "../state/draft.ts";
import { inputImage, maskImage, setInputImage, setMaskImage } from "../state/draft-images.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { FieldError } from "../ui/field-error.tsx";
import { openBordersEditor, openMaskEditor } from "./editors.ts";
import { FileButton } from "./file-button.tsx";
import type { ImageRef } from "./image-ref.ts";
import { text } from "./messages.ts";
import { takeFiles } from "./offer.ts";
import { Caption, Thumbnail } from "./thumbnail.tsx";
import { UploadBar } from "./upload-bar.tsx";

interface ImagePanelProps {
  /** The API's sentence about a field of the request; undefined if there is none. */
  readonly errorAt: (path: string) => string | undefined;
}

/** The input image of the form, with its mask or its borders. */
export function ImagePanel({ errorAt }: ImagePanelProps) {
  const image = inputImage.value;
  return (
    <fieldset class="image-panel" aria-label={text.inputImage()}>
      {image === undefined ? <EmptyPanel /> : <ChosenImage image={image} />}
      {["input_image", "mask_image", "outpaint"].map((name) => (
        <FieldError key={name} error={errorAt(name)} />
      ))}
      <UploadBar />
    </fieldset>
  );
}

function EmptyPanel() {
  return (
    <div class="image-empty">
      <FileButton label={text.choose()} onFiles={(files) => void takeFiles(files)} />
      <p class="field-help">{text.dropHint()}</p>
    </div>
  );
}

function ChosenImage({ image }: { readonly image: ImageRef }) {
  const { size } = image;
  return (
    <>
      <div class="image-card">
        <Thumbnail image={image} mask={maskImage.value} />
        <Caption image={image} size={size && text.pixels(size.width, size.height)} />
        <IconButton icon="cancel" label={text.removeImage()} onClick={() => setInputImage(undefined)} />
      </div>
      <div class="image-actions">
        <FileButton label={text.replace()} onFiles={(files) => void takeFiles(files)} />
        {size !== undefined && image.blob !== undefined && <MaskActions />}
        {size !== undefined && <BorderActions />}
      </div>
      {size === undefined && (
        <p class="field-help">{image.blob === undefined ? text.onlyStored() : text.notShown()}</p>
      )}
      {maskImage.value !== undefined && <p class="field-help">{text.masked()}</p>}
    </>
  );
}

function MaskActions() {
  const hasMask = maskImage.value !== undefined;
  return (
    <>
      <Button icon="brush" onClick={() => void openMaskEditor()}>
        {hasMask ? text.editMask() : text.paintMask()}
      </Button>
      {hasMask && <Button onClick={() => setMaskImage(undefined)}>{text.removeMask()}</Button>}
    </>
  );
}

function BorderActions() {
  const hasBorders = fields.value.outpaint != null;
  return (
    <>
      <Button icon="extend" onClick={() => void openBordersEditor()}>
        {hasBorders ? text.editBorders() : text.extend()}
      </Button>
      {hasBorders && <Button onClick={() => setField("outpaint", undefined)}>{text.removeBorders()}</Button>}
    </>
  );
}
