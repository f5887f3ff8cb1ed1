import { messages } from "../i18n/messages.ts";

export const text = messages({
  form: { en: "New images", zh: "新图片" },
  generate: { en: "Generate", zh: "生成" },
  submitting: { en: "Submitting…", zh: "提交中…" },
  more: { en: "More", zh: "更多" },
  help: { en: (label: string) => `Help: ${label}`, zh: (label: string) => `说明：${label}` },
  reset: { en: (label: string) => `Reset: ${label}`, zh: (label: string) => `恢复默认：${label}` },
  resetAll: { en: "Reset everything", zh: "全部恢复默认" },
  remove: { en: (label: string) => `Remove ${label}`, zh: (label: string) => `移除 ${label}` },
  setFields: { en: (count: number) => `${count} set`, zh: (count: number) => `已设 ${count} 项` },
  size: { en: "Aspect ratio", zh: "宽高比" },
  asImage: { en: "As the image", zh: "与输入图一致" },
  image: { en: "Image", zh: "原图" },
  swap: { en: "Swap width and height", zh: "交换宽高" },
  byDefault: { en: "default", zh: "默认" },
  modelDefault: { en: "Model's default", zh: "模型默认" },
  defaultValue: { en: (value: string) => `Default (${value})`, zh: (value: string) => `默认（${value}）` },
  notHere: { en: (name: string) => `${name} (not available)`, zh: (name: string) => `${name}（不可用）` },
  randomSeed: { en: "Random seed", zh: "随机种子" },
  lastSeed: { en: "Use the last seed", zh: "使用上一次的种子" },
  add: { en: (label: string) => `Add: ${label}`, zh: (label: string) => `添加：${label}` },
  weightOf: { en: (name: string) => `Weight of ${name}`, zh: (name: string) => `${name} 的权重` },
  insert: {
    en: (name: string) => `Insert ${name} in the prompt`,
    zh: (name: string) => `将 ${name} 插入提示词`,
  },
  from: { en: (label: string) => `${label}: from`, zh: (label: string) => `${label}：起点` },
  to: { en: (label: string) => `${label}: to`, zh: (label: string) => `${label}：终点` },
  weights: {
    en: "Ctrl+↑ and Ctrl+↓ change the weight of the word at the cursor or of the selection.",
    zh: "Ctrl+↑ / Ctrl+↓ 调整光标处单词或所选文字的权重。",
  },
  missingModel: {
    en: (name: string) => `There is no model ${name} here. Everything else has been taken over.`,
    zh: (name: string) => `此处没有模型 ${name}，其余参数已填入。`,
  },
});

export const groupLabels = messages({
  size: { en: "Size", zh: "尺寸" },
  sampling: { en: "Sampling", zh: "采样" },
  adapters: { en: "LoRA, embeddings, VAE", zh: "LoRA、嵌入、VAE" },
  controlnets: { en: "ControlNet", zh: "ControlNet" },
  upscaling: { en: "Hires fix and upscaling", zh: "高清修复与放大" },
  output: { en: "Output", zh: "输出" },
  job: { en: "Job", zh: "任务" },
  other: { en: "Other", zh: "其他" },
});
