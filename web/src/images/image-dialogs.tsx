import { inputImage } from "../state/draft-images.ts";
import { editor } from "./editors.ts";
import { text } from "./messages.ts";
import { offer } from "./offer.ts";
import { OfferDialog } from "./offer-dialog.tsx";
import { isDragging, useFileDrop } from "./use-file-drop.ts";

/** The dialogs about images, above every view; takes dropped and pasted images. */
export function ImageDialogs() {
  useFileDrop();
  const image = inputImage.value;
  const Editor = editor.value;
  const close = () => {
    editor.value = undefined;
  };
  return (
    <>
      {isDragging.value && <div class="drop-hint">{text.dropHere()}</div>}
      {offer.value !== undefined && <OfferDialog offered={offer.value} />}
      {Editor !== undefined && image?.size !== undefined && (
        <Editor key={image.id} image={image} size={image.size} onClose={close} />
      )}
    </>
  );
}
