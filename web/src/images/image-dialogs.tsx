import { MaskEditor } from "../mask/mask-editor.tsx";
import { inputImage } from "../state/draft-images.ts";
import { BordersEditor } from "./borders-editor.tsx";
import { editor } from "./editors.ts";
import { text } from "./messages.ts";
import { offer } from "./offer.ts";
import { OfferDialog } from "./offer-dialog.tsx";
import { isDragging, useFileDrop } from "./use-file-drop.ts";

/** The dialogs about images, above every view; takes dropped and pasted images. */
export function ImageDialogs() {
  useFileDrop();
  const image = inputImage.value;
  const close = () => {
    editor.value = undefined;
  };
  return (
    <>
      {isDragging.value && <div class="drop-hint">{text.dropHere()}</div>}
      {offer.value !== undefined && <OfferDialog offered={offer.value} />}
      {editor.value === "mask" && image?.size !== undefined && image.blob !== undefined && (
        <MaskEditor key={image.id} image={image} onClose={close} />
      )}
      {editor.value === "borders" && image?.size !== undefined && (
        <BordersEditor image={image} size={image.size} onClose={close} />
      )}
    </>
  );
}
