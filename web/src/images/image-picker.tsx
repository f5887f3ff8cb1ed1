import { useState } from "preact/hooks";
import { IconButton } from "../ui/button.tsx";
import { FieldError } from "../ui/field-error.tsx";
import { FileButton } from "./file-button.tsx";
import type { ImageRef } from "./image-ref.ts";
import { text } from "./messages.ts";
import { ImageFileError, openImageFile } from "./open-file.ts";
import { Caption, Thumbnail } from "./thumbnail.tsx";

interface ImagePickerProps {
  /** The accessible name of the group. */
  readonly label: string;
  readonly image: ImageRef | undefined;
  readonly onChange: (image: ImageRef | undefined) => void;
  /** The API's sentence about the image; undefined if there is none. */
  readonly error: string | undefined;
}

/** A field whose value is an image, such as that of a ControlNet; images can be dropped on it. */
export function ImagePicker({ label, image, onChange, error }: ImagePickerProps) {
  const [refused, setRefused] = useState<string>();
  const take = async ([file]: readonly File[]) => {
    if (file === undefined) return;
    try {
      onChange(await openImageFile(file, file.name));
      setRefused(undefined);
    } catch (reason) {
      if (!(reason instanceof ImageFileError)) throw reason;
      setRefused(reason.message);
    }
  };
  const shownError = refused ?? error;
  return (
    <fieldset
      class="image-panel"
      aria-label={label}
      onDrop={(event) => {
        event.preventDefault(); // the page does not take it as the input image
        void take([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      {image !== undefined && (
        <div class="image-card">
          <Thumbnail image={image} />
          <Caption image={image} size={image.size && text.pixels(image.size.width, image.size.height)} />
          <IconButton icon="cancel" label={text.removeImage()} onClick={() => onChange(undefined)} />
        </div>
      )}
      <div class="image-actions">
        <FileButton
          label={image === undefined ? text.choose() : text.replace()}
          onFiles={(files) => void take(files)}
        />
      </div>
      <FieldError error={shownError} />
    </fieldset>
  );
}
