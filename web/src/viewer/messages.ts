import { messages } from "../i18n/messages.ts";

export const text = messages({
  viewer: { en: "Image", zh: "图片" },
  close: { en: "Close", zh: "关闭" },
  previous: { en: "Previous image", zh: "上一张" },
  next: { en: "Next image", zh: "下一张" },
  zoom: { en: "Original size", zh: "原始尺寸" },
  missing: {
    en: "There is no such image: its job was deleted or has expired.",
    zh: "没有这张图片：其任务已被删除、已过期，或属于其他人。",
  },
  loading: { en: "Loading…", zh: "加载中…" },
  useAll: { en: "Use all", zh: "使用全部参数" },
  useWithoutSeed: { en: "Use without the seed", zh: "使用参数（不含种子）" },
  asInput: { en: "As input", zh: "作为输入图片" },
  upscale: { en: "Upscale", zh: "放大" },
  upscaleHires: {
    en: (scale: number) =>
      `A new job: the same image with the same seed, ${scale} times as wide and high, and denoised again for more detail.`,
    zh: (scale: number) =>
      `新任务：用相同的种子生成同一图片，宽高放大到 ${scale} 倍，并再次去噪以增加细节（高清修复）。`,
  },
  upscalePlain: {
    en: (scale: number) =>
      `A new job: the same image with the same seed, scaled up ${scale} times without new detail.`,
    zh: (scale: number) => `新任务：用相同的种子生成同一图片，放大到 ${scale} 倍，不增加细节。`,
  },
  upscaleImpossible: {
    en: "The image is as large as this model allows.",
    zh: "图片已达到该模型允许的最大尺寸。",
  },
  submitted: { en: "The job is submitted.", zh: "任务已提交。" },
  favorite: { en: "Favourite", zh: "收藏" },
  download: { en: "Download", zh: "下载" },
  copyLink: { en: "Copy link", zh: "复制链接" },
  copyPrompt: { en: "Copy prompt", zh: "复制提示词" },
  linkCopied: {
    en: (time: string) => `The link is copied. It opens the image without signing in until ${time}.`,
    zh: (time: string) => `链接已复制。在 ${time} 之前，任何持有链接的人都能打开该图片。`,
  },
  promptCopied: { en: "The prompt is copied.", zh: "提示词已复制。" },
  notCopied: {
    en: "The browser does not let this page write to the clipboard.",
    zh: "浏览器不允许此页面写入剪贴板。",
  },
  delete: { en: "Delete", zh: "删除" },
  parameters: { en: "Parameters", zh: "参数" },
  revision: { en: "Revision", zh: "版本" },
  size: { en: "Size", zh: "尺寸" },
  created: { en: "Submitted", zh: "提交时间" },
  took: { en: "Took", zh: "用时" },
  tookText: {
    en: (total: string, denoise: string) => `${total} s, of which ${denoise} s of denoising`,
    zh: (total: string, denoise: string) => `${total} 秒，其中去噪 ${denoise} 秒`,
  },
  seconds: { en: (seconds: string) => `${seconds} s`, zh: (seconds: string) => `${seconds} 秒` },
  expires: { en: "Kept until", zh: "保留至" },
  id: { en: "Job", zh: "任务" },
  fallbacks: { en: "Differences", zh: "与请求的差异" },
  noImage: { en: "This job has no images.", zh: "此任务没有图片。" },
  nsfw: {
    en: "The safety filter considers this image not safe for work.",
    zh: "安全过滤器认为此图片可能含成人内容。",
  },
  blurred: {
    en: "The safety filter considers this image not safe for work, and has blurred it.",
    zh: "安全过滤器认为此图片可能含成人内容，已将其模糊。",
  },
  withheld: {
    en: "The safety filter has withheld this image. Another seed or prompt may pass.",
    zh: "安全过滤器已拦截此图片。可以换一个种子或提示词再试。",
  },
});
