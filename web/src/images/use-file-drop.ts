import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { open, route } from "../app/route.ts";
import { takeFiles } from "./offer.ts";

/** Whether the visitor is dragging a file over the page. */
export const isDragging = signal(false);

/** Takes images that are dropped anywhere on the page, or pasted, unless a dialog is open. */
export function useFileDrop(): void {
  useEffect(() => {
    const controller = new AbortController();
    const options = { signal: controller.signal };
    addEventListener("dragover", onDragOver, options);
    addEventListener("dragleave", onDragLeave, options);
    addEventListener("drop", onDrop, options);
    addEventListener("paste", onPaste, options);
    return () => controller.abort();
  }, []);
}

function onDragOver(event: DragEvent): void {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault(); // the browser would leave the page for the file
  isDragging.value = !isDialogOpen();
}

function onDragLeave(event: DragEvent): void {
  if (event.relatedTarget === null) isDragging.value = false;
}

function onDrop(event: DragEvent): void {
  isDragging.value = false;
  if (event.defaultPrevented || !event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  take(event.dataTransfer);
}

function onPaste(event: ClipboardEvent): void {
  const { target, clipboardData } = event;
  if (clipboardData === null || clipboardData.files.length === 0) return;
  const isText = target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement;
  if (isText && clipboardData.types.includes("text/plain")) return;
  event.preventDefault();
  take(clipboardData);
}

function take({ files }: DataTransfer): void {
  if (isDialogOpen() || files.length === 0) return;
  if (route.value.view !== "create") open({ view: "create" });
  void takeFiles([...files]);
}

function isDialogOpen(): boolean {
  return document.querySelector("dialog[open]") !== null;
}
