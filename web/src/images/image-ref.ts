/** Width and height in pixels, with the EXIF orientation applied. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** An image that a request can name: a file, an image in S3, or both. */
export interface ImageRef {
  /** Identifies the content: another image has another id. */
  readonly id: string;
  /** The file's name, for the visitor. */
  readonly name: string;
  /** Undefined if the browser cannot show the image, which the API may still accept. */
  readonly size?: Size | undefined;
  /** The file, with one of the API's media types; undefined if only `s3Uri` is known. */
  readonly blob?: Blob | undefined;
  /** Its place in S3, for images of earlier jobs. */
  readonly s3Uri?: string | undefined;
}

/** A file as an image; its type must be one of the API's. */
export function imageOfBlob(blob: Blob, name: string, size: Size | undefined): ImageRef {
  return { id: crypto.randomUUID(), name, size, blob };
}

/** An image of an earlier job, which needs no upload. */
export function imageInS3(s3Uri: string, name: string, size: Size): ImageRef {
  return { id: s3Uri, name, size, s3Uri };
}

/** Whether two sizes are equal. */
export function equalSizes(one: Size | undefined, other: Size | undefined): boolean {
  return one?.width === other?.width && one?.height === other?.height;
}
