import { messages } from "../i18n/messages.ts";

export const text = messages({
  jobs: { en: "Jobs", zh: "任务" },
  waking: { en: "Waking an instance; this takes minutes", zh: "正在唤醒实例，需要几分钟" },
  wakingFor: {
    en: (time: string) => `Waking an instance, ${time}`,
    zh: (time: string) => `正在唤醒实例，${time}`,
  },
  queued: { en: "Queued", zh: "排队中" },
  next: { en: "Next in the queue", zh: "排在队首" },
  place: {
    en: (place: number) => `Place ${place} in the queue`,
    zh: (place: number) => `排队第 ${place} 位`,
  },
  loadingModel: { en: "Loading the model", zh: "正在加载模型" },
  denoising: { en: "Denoising", zh: "去噪中" },
  step: {
    en: (step: number, total: number) => `Denoising: step ${step} of ${total}`,
    zh: (step: number, total: number) => `去噪：第 ${step} / ${total} 步`,
  },
  uploading: { en: "Storing the images", zh: "正在保存图片" },
  canceling: { en: "Canceling…", zh: "正在取消…" },
  running: { en: "Running", zh: "运行中" },
  succeeded: { en: "Finished", zh: "已完成" },
  failed: { en: "Failed", zh: "失败" },
  canceled: { en: "Canceled", zh: "已取消" },
  expired: { en: "Not finished in time", zh: "超时未完成" },
  moment: { en: "a moment left", zh: "即将完成" },
  seconds: { en: (seconds: number) => `about ${seconds} s`, zh: (seconds: number) => `约 ${seconds} 秒` },
  minutes: {
    en: (minutes: number) => (minutes === 1 ? "about a minute" : `about ${minutes} minutes`),
    zh: (minutes: number) => `约 ${minutes} 分钟`,
  },
  hours: {
    en: (hours: number) => (hours === 1 ? "about an hour" : `about ${hours} hours`),
    zh: (hours: number) => `约 ${hours} 小时`,
  },
  secondAttempt: {
    en: "The container went away; this is the second attempt.",
    zh: "运行该任务的容器已消失，正在进行第二次尝试。",
  },
  images: {
    en: (count: number) => (count === 1 ? "1 image" : `${count} images`),
    zh: (count: number) => `${count} 张图片`,
  },
  preview: { en: "Preview", zh: "预览" },
  progress: { en: "Progress", zh: "进度" },
  cancel: { en: "Cancel", zh: "取消" },
  tryAgain: { en: "Try again", zh: "重试" },
  useAll: { en: "Use all", zh: "使用全部参数" },
  delete: { en: "Delete", zh: "删除" },
  hide: { en: "Hide", zh: "隐藏" },
  showMore: {
    en: (count: number) => `Show ${count} more waiting jobs`,
    zh: (count: number) => `再显示 ${count} 个等待中的任务`,
  },
  announceSucceeded: {
    en: (prompt: string) => `Finished: ${prompt}`,
    zh: (prompt: string) => `已完成：${prompt}`,
  },
  announceEnded: {
    en: (state: string, prompt: string) => `${state}: ${prompt}`,
    zh: (state: string, prompt: string) => `${state}：${prompt}`,
  },
});
