import { messages } from "../i18n/messages.ts";

export const text = messages({
  noFile: {
    en: "The image's file is missing. Choose the image again.",
    zh: "图片文件已丢失，请重新选择图片。",
  },
  refusedByStorage: {
    en: (status: number) => `The storage has refused the image (HTTP ${status}). Try again.`,
    zh: (status: number) => `存储服务拒绝了该图片（HTTP ${status}），请重试。`,
  },
  notKept: {
    en: "This browser has no room to keep your images. They can be used now, but will be lost when the page is reloaded.",
    zh: "浏览器空间不足，无法保存图片。现在可以使用，但重新加载页面后会丢失。",
  },
  maskRemoved: {
    en: "The mask was removed, since the new image has another size.",
    zh: "新图片的尺寸不同，蒙版已移除。",
  },
  noPixels: {
    en: "The image's pixels could not be loaded: it can be used, but to paint a mask, use it as input again.",
    zh: "图片像素加载失败：仍可使用该图片；若要绘制蒙版，请重新将其设为输入图。",
  },
  onlyFirst: {
    en: (name: string) => `One image can be used at a time; ${name} is taken.`,
    zh: (name: string) => `一次只能使用一张图片，已采用 ${name}。`,
  },
  emptyFile: {
    en: (name: string) => `${name} is empty. Choose another file.`,
    zh: (name: string) => `${name} 是空文件，请选择其他文件。`,
  },
  unreadable: {
    en: (name: string) =>
      `${name} cannot be read: it may have been moved, or it is a folder. Choose it again.`,
    zh: (name: string) => `无法读取 ${name}：文件可能已被移动，或者是文件夹。请重新选择。`,
  },
  notAnImage: {
    en: (name: string) =>
      `${name} is not an image. Choose a PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF or HEIC file.`,
    zh: (name: string) => `${name} 不是图片。请选择 PNG、JPEG、WebP、GIF、BMP、TIFF、AVIF 或 HEIC 文件。`,
  },
  tooManyBytes: {
    en: (name: string, size: string, limit: string) =>
      `${name} has ${size} MiB; at most ${limit} MiB are accepted. Save it smaller, or as a JPEG or WebP file.`,
    zh: (name: string, size: string, limit: string) =>
      `${name} 大小为 ${size} MiB，上限为 ${limit} MiB。请缩小图片，或另存为 JPEG 或 WebP。`,
  },
  tooManyPixels: {
    en: (name: string, width: number, height: number, limit: number) =>
      `${name} has ${width} × ${height} pixels; at most ${limit} megapixels are accepted. Reduce its size.`,
    zh: (name: string, width: number, height: number, limit: number) =>
      `${name} 的尺寸为 ${width} × ${height}，上限为 ${limit} 百万像素。请缩小图片。`,
  },
  damaged: {
    en: (name: string) => `${name} is damaged: it cannot be shown. Choose another file, or save it again.`,
    zh: (name: string) => `${name} 已损坏，无法显示。请选择其他文件，或重新保存后再试。`,
  },
  offerTitle: { en: "This image contains its parameters", zh: "该图片包含生成参数" },
  offerUse: { en: "What do you want to use?", zh: "要使用哪些内容？" },
  asInput: { en: "The image as input", zh: "作为输入图" },
  takeParameters: { en: "Its parameters", zh: "使用其参数" },
  takeBoth: { en: "Both", zh: "两者都用" },
  cancel: { en: "Cancel", zh: "取消" },
  notAvailable: {
    en: (list: string) => `Not available here, and left out: ${list}.`,
    zh: (list: string) => `此处不可用，已忽略：${list}。`,
  },
  usedImages: {
    en: "It was made from other images, which the file does not contain.",
    zh: "它由其他图片生成，这些图片不在文件中。",
  },
  inputImage: { en: "Input image", zh: "输入图片" },
  choose: { en: "Choose an image", zh: "选择图片" },
  dropHint: { en: "or drop or paste one anywhere", zh: "或拖放、粘贴到页面任意位置" },
  dropHere: { en: "Drop the image here", zh: "松开以使用该图片" },
  replace: { en: "Replace", zh: "更换" },
  removeImage: { en: "Remove the image", zh: "移除图片" },
  pixels: {
    en: (width: number, height: number) => `${width} × ${height} px`,
    zh: (width: number, height: number) => `${width} × ${height} 像素`,
  },
  notShown: {
    en: "This browser cannot show the image. It can be used, but not painted on.",
    zh: "此浏览器无法显示该图片。仍可使用，但无法绘制蒙版。",
  },
  onlyStored: {
    en: "The image is stored with its job. It can be used; to paint on it, choose its file.",
    zh: "图片保存在任务中，可以直接使用；若要绘制蒙版，请选择图片文件。",
  },
  paintMask: { en: "Paint a mask", zh: "绘制蒙版" },
  editMask: { en: "Edit the mask", zh: "编辑蒙版" },
  removeMask: { en: "Remove the mask", zh: "移除蒙版" },
  masked: { en: "Only the painted area is regenerated.", zh: "仅重绘涂抹的区域（局部重绘）。" },
  extend: { en: "Extend the borders", zh: "扩展边界" },
  editBorders: { en: "Edit the borders", zh: "编辑扩展边界" },
  removeBorders: { en: "Remove the borders", zh: "取消扩展" },
  uploading: { en: "Uploading", zh: "正在上传" },
  cancelUpload: { en: "Cancel the upload", zh: "取消上传" },
  borders: { en: "Extend the image", zh: "扩展图片（外绘）" },
  bordersHelp: {
    en: "Pull the frame outward, or enter pixels. The size follows from the image and its borders: width, height and a mask do not apply.",
    zh: "向外拖动边框，或输入像素值。尺寸由图片和边界决定：宽度、高度和蒙版不再生效。",
  },
  left: { en: "Left", zh: "左" },
  right: { en: "Right", zh: "右" },
  top: { en: "Top", zh: "上" },
  bottom: { en: "Bottom", zh: "下" },
  newSize: {
    en: (width: number, height: number) => `New size: ${width} × ${height} px`,
    zh: (width: number, height: number) => `新尺寸：${width} × ${height} 像素`,
  },
  outsideLimits: {
    en: (least: number, most: number) => `The model accepts sides between ${least} and ${most} pixels.`,
    zh: (least: number, most: number) => `模型支持的边长为 ${least} 至 ${most} 像素。`,
  },
  removesMask: { en: "This removes the mask.", zh: "蒙版将被移除。" },
  acceptBorders: { en: "Use the borders", zh: "使用扩展边界" },
});
