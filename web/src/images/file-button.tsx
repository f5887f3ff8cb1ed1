import { useRef } from "preact/hooks";
import { UPLOAD } from "../api/upload.ts";
import { Button } from "../ui/button.tsx";

/** Some systems know these files by their names only. */
const ACCEPTED = [...UPLOAD.content_type.enum, ".avif", ".heic", ".heif"].join(",");

interface FileButtonProps {
  readonly label: string;
  readonly onFiles: (files: readonly File[]) => void;
}

/** A button that lets the visitor choose an image: from a folder, or from a phone's photos. */
export function FileButton({ label, onFiles }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button icon="image" onClick={() => input.current?.click()}>
        {label}
      </Button>
      <input
        ref={input}
        type="file"
        accept={ACCEPTED}
        aria-label={label}
        hidden
        onChange={({ currentTarget }) => {
          onFiles([...(currentTarget.files ?? [])]);
          currentTarget.value = ""; // the same file can be chosen again
        }}
      />
    </>
  );
}
