import { messages } from "../i18n/messages.ts";

export const text = messages({
  intro: {
    en: "One image for each pair of values. All other settings are those of the form under Create.",
    zh: "每一对取值生成一张图片，其余设置与“创作”中的表单一致。",
  },
  prompt: { en: "Prompt", zh: "提示词" },
  xAxis: { en: "Columns (X)", zh: "列（X 轴）" },
  yAxis: { en: "Rows (Y)", zh: "行（Y 轴）" },
  none: { en: "None: one row", zh: "无：仅一行" },
  values: { en: "Values", zh: "取值" },
  valuesOf: { en: (axis: string) => `Values of the ${axis}`, zh: (axis: string) => `${axis}的取值` },
  numbersHelp: {
    en: (low: string, high: string) =>
      `Numbers from ${low} to ${high}: a list (5, 10, 15) or a range (5-20 (+5), or 5-20 [4] for four values).`,
    zh: (low: string, high: string) =>
      `${low} 到 ${high} 之间的数字：列表（5, 10, 15）或范围（5-20 (+5)；5-20 [4] 表示四个值）。`,
  },
  textsHelp: {
    en: "One text a line. The first one must be in the prompt, and is the first value; each other line replaces it.",
    zh: "每行一个文本。第一行须出现在提示词中，并作为第一个取值；其余各行依次替换它。",
  },
  noValues: { en: "Give at least one value.", zh: "请至少给出一个取值。" },
  tooManyValues: {
    en: (max: number) => `At most ${max} values.`,
    zh: (max: number) => `最多 ${max} 个取值。`,
  },
  notInPrompt: {
    en: (search: string) => `The prompt does not contain “${search}”.`,
    zh: (search: string) => `提示词中没有“${search}”。`,
  },
  notANumber: {
    en: (part: string) => `“${part}” is neither a number nor a range such as 5-20 (+5).`,
    zh: (part: string) => `“${part}”既不是数字，也不是 5-20 (+5) 这样的范围。`,
  },
  notAnInteger: {
    en: (value: number) => `${value} is not a whole number.`,
    zh: (value: number) => `${value} 不是整数。`,
  },
  tooSmall: {
    en: (value: number, min: number) => `${value} is less than ${min}, the least value.`,
    zh: (value: number, min: number) => `${value} 小于最小值 ${min}。`,
  },
  tooLarge: {
    en: (value: number, max: number) => `${value} is more than ${max}, the limit of the model.`,
    zh: (value: number, max: number) => `${value} 大于该模型的上限 ${max}。`,
  },
  notAMultiple: {
    en: (value: number, step: number) => `${value} is not a multiple of ${step}.`,
    zh: (value: number, step: number) => `${value} 不是 ${step} 的倍数。`,
  },
  sameField: { en: "The columns have this field already.", zh: "列已使用该参数。" },
  tooManyCells: {
    en: (cells: number, max: number) =>
      `These are ${cells} images; a grid has at most ${max}, since each is a job of its own. Leave out some values.`,
    zh: (cells: number, max: number) =>
      `共 ${cells} 张图片；每张都是单独的任务，因此最多 ${max} 张。请减少取值。`,
  },
  tooManyTags: {
    en: (max: number) => `The form has more than ${max} tags; a grid needs the others for its cells.`,
    zh: (max: number) => `表单中的标签超过 ${max} 个；其余标签须留给网格使用。`,
  },
  noPrompt: { en: "Write a prompt first.", zh: "请先填写提示词。" },
  oneSeed: {
    en: "All images have the same seed, so that they differ only by the values.",
    zh: "所有图片使用同一个随机种子，差异仅来自取值。",
  },
  generate: { en: "Generate", zh: "生成" },
  generateSome: {
    en: (cells: number) => (cells === 1 ? "Generate 1 image" : `Generate ${cells} images`),
    zh: (cells: number) => `生成 ${cells} 张图片`,
  },
  preparing: { en: "Preparing…", zh: "正在准备…" },
  grid: { en: "Grid", zh: "网格" },
  finished: {
    en: (done: number, total: number) => `${done} of ${total} images`,
    zh: (done: number, total: number) => `已完成 ${done} / ${total} 张`,
  },
  seed: { en: (seed: number) => `Seed ${seed}`, zh: (seed: number) => `随机种子 ${seed}` },
  cancelAll: { en: "Cancel all", zh: "全部取消" },
  submitMissing: { en: "Submit the missing ones", zh: "提交缺失的任务" },
  saveSheet: { en: "Save as one image", zh: "保存为一张图片" },
  saving: { en: "Saving…", zh: "正在保存…" },
  scaled: {
    en: (percent: number) =>
      `The image is saved at ${percent} % of its size, the largest that browsers can draw.`,
    zh: (percent: number) => `图片已按 ${percent}% 的尺寸保存，这是浏览器能生成的最大尺寸。`,
  },
  notMade: {
    en: "The browser could not make the image. Close other tabs, or save the images one by one.",
    zh: "浏览器无法绘制该图片。请关闭其他标签页，或逐张保存图片。",
  },
  notLoaded: {
    en: "None of the images could be loaded. Check the connection and try again.",
    zh: "图片均无法加载。请检查网络后重试。",
  },
  incomplete: {
    en: (missing: number) =>
      `${missing} images are not finished or could not be loaded; their places are empty.`,
    zh: (missing: number) => `${missing} 张图片尚未完成或无法加载，其位置留空。`,
  },
  notSubmitted: { en: "Not submitted", zh: "未提交" },
  waiting: { en: "Being submitted…", zh: "正在提交…" },
  withheld: { en: "Withheld by the content filter", zh: "已被内容过滤器拦截" },
  retry: { en: "Try again", zh: "重试" },
  loading: { en: "Loading the grid…", zh: "正在加载网格…" },
  notFound: {
    en: "There is no such grid: its jobs have been deleted or have expired.",
    zh: "没有此网格：其任务已被删除或已过期。",
  },
  recent: { en: "Recent grids", zh: "最近的网格" },
  noRecent: { en: "Grids that you generate are listed here.", zh: "您生成的网格会列在这里。" },
  replaced: { en: "Prompt: search and replace", zh: "提示词：查找替换 (S/R)" },
});
