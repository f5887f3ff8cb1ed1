import { Icon } from "../ui/icons.tsx";
import type { ImageRef } from "./image-ref.ts";
import { useObjectUrl } from "./use-object-url.ts";

interface ThumbnailProps {
  readonly image: ImageRef;
  readonly mask?: ImageRef | undefined;
}

/** A small view of an image, with the area of its mask. */
export function Thumbnail({ image, mask }: ThumbnailProps) {
  const url = useObjectUrl(image.size === undefined ? undefined : image.blob);
  const maskUrl = useObjectUrl(mask?.blob);
  return (
    <div class="thumbnail">
      {url === undefined ? <Icon name="image" /> : <img src={url} alt={image.name} />}
      {url !== undefined && maskUrl !== undefined && (
        <div class="thumbnail-mask" style={{ maskImage: `url("${maskUrl}")` }} />
      )}
    </div>
  );
}

/** The name and the size of an image. */
export function Caption({ image, size }: { readonly image: ImageRef; readonly size: string | undefined }) {
  return (
    <p class="image-caption">
      <span class="image-name" title={image.name}>
        {image.name}
      </span>
      {size !== undefined && <span class="image-size">{size}</span>}
    </p>
  );
}
