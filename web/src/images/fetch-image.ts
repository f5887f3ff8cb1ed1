/**
 * The file behind a link to S3; undefined if it cannot be loaded, for example because the link has expired.
 *
 * The browser's copy from showing the image is not used: S3 answered for it without the permission to read it.
 */
export async function fetchImage(url: string): Promise<Blob | undefined> {
  try {
    const response = await fetch(url, { cache: "no-store" });
    return response.ok ? await response.blob() : undefined;
  } catch {
    return undefined;
  }
}
