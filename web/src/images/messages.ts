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
});
