/** Labels and help of the request's fields. */
import { schemaAt } from "../api/field-schema.ts";
import { type Language, language } from "../i18n/language.ts";
import { text } from "./messages.ts";

interface FieldText {
  readonly en: string;
  readonly zh: string;
  /** Help in Chinese; that in English is the API's description. */
  readonly help?: string;
  /** What a number without a value means, if it is no number. */
  readonly unset?: Readonly<Record<Language, string>>;
}

/** By the paths of the fields; the items of lists have no index: `loras/weight`. */
const TEXTS: Readonly<Record<string, FieldText>> = {
  prompt: { en: "Prompt", zh: "提示词" },
  negative_prompt: { en: "Negative prompt", zh: "反向提示词" },
  model: { en: "Model", zh: "模型" },
  width: { en: "Width", zh: "宽度", help: "像素，8 的倍数。" },
  height: { en: "Height", zh: "高度", help: "像素，8 的倍数。" },
  count: { en: "Images", zh: "数量", help: "生成的图片张数。" },
  steps: { en: "Steps", zh: "步数", help: "去噪的步数。" },
  guidance_scale: {
    en: "Guidance (CFG scale)",
    zh: "提示词引导系数 (CFG)",
    help: "数值越大越贴近提示词；不大于 1 时不使用引导，反向提示词无效。",
  },
  sampler: { en: "Sampler", zh: "采样器", help: "去噪所用的采样方法。" },
  scheduler: { en: "Schedule type", zh: "调度类型", help: "采样器的噪声调度，例如 Karras。" },
  seed: {
    en: "Seed",
    zh: "随机种子",
    help: "第一张图的种子，之后每张依次加 1。留空为随机。",
    unset: { en: "random", zh: "随机" },
  },
  clip_skip: { en: "CLIP skip", zh: "CLIP 终止层数", help: "使用文本编码器倒数第几层；2 表示跳过最后一层。" },
  guidance_rescale: {
    en: "Guidance rescale",
    zh: "引导重缩放",
    help: "减轻高引导系数造成的过曝；零终端信噪比的模型约用 0.7，0 为关闭。",
  },
  guidance_interval: {
    en: "Guidance interval",
    zh: "引导区间",
    help: "只在这一步数区间内使用引导，其余步数计算量减半；结果为近似。不支持含 AND 的提示词。",
  },
  timestep_spacing: {
    en: "Timestep spacing",
    zh: "时间步间隔",
    help: "时间步的分布方式；少步数模型（Turbo、Lightning 等）需要 trailing。",
  },
  strength: { en: "Denoising strength", zh: "重绘幅度", help: "数值越大，与输入图差异越大。" },
  mask_blur: { en: "Mask blur", zh: "蒙版模糊", help: "重绘区域与保留区域之间过渡的宽度（像素）。" },
  mask_padding: {
    en: "Only masked: padding",
    zh: "仅重绘蒙版区域：边缘预留",
    help: "只以完整尺寸生成蒙版区域及其周围这么多像素，再贴回原图。留空则生成整张图。",
    unset: { en: "whole image", zh: "整张图" },
  },
  mask_alpha: {
    en: "The mask is its alpha channel",
    zh: "以透明通道为蒙版",
    help: "只看蒙版的透明度，不看颜色：不透明处重绘，透明处保留。",
  },
  mask_invert: { en: "Invert the mask", zh: "反转蒙版", help: "重绘未涂抹的区域，保留涂抹的区域。" },
  outpaint: { en: "Outpainting", zh: "扩图" },
  loras: { en: "LoRA", zh: "LoRA" },
  "loras/weight": { en: "Weight", zh: "权重" },
  embeddings: {
    en: "Embeddings (textual inversion)",
    zh: "嵌入 (Textual Inversion)",
    help: "在提示词中写入其名称才会生效。",
  },
  controlnets: { en: "ControlNet", zh: "ControlNet" },
  "controlnets/image": { en: "Control image", zh: "控制图" },
  "controlnets/weight": { en: "Weight", zh: "权重", help: "ControlNet 的影响强度。" },
  "controlnets/start": { en: "Start", zh: "起始时机", help: "从总步数的这一比例开始生效。" },
  "controlnets/end": { en: "End", zh: "结束时机", help: "到总步数的这一比例停止生效。" },
  "controlnets/preprocess": {
    en: "Preprocess",
    zh: "预处理",
    help: "由所选图片计算控制图；目前仅支持 canny。",
  },
  vae: { en: "VAE", zh: "VAE", help: "留空使用模型自带的 VAE。" },
  refiner_start: {
    en: "Refiner starts at",
    zh: "Refiner 切换时机",
    help: "在总步数的这一比例后切换到 SDXL Refiner。",
    unset: { en: "off", zh: "关闭" },
  },
  hires: { en: "Hires fix", zh: "高清修复", help: "放大图片后再次去噪。" },
  "hires/scale": { en: "Scale", zh: "放大倍数", help: "宽和高的放大倍数。" },
  "hires/steps": {
    en: "Steps",
    zh: "步数",
    help: "第二遍去噪的步数；留空与第一遍相同。",
    unset: { en: "as in the first pass", zh: "与第一遍相同" },
  },
  "hires/strength": { en: "Denoising strength", zh: "重绘幅度", help: "第二遍的重绘幅度。" },
  "hires/upscaler": { en: "Upscaler", zh: "放大算法", help: "lanczos 不需要模型。" },
  upscale: { en: "Upscale", zh: "放大", help: "放大完成的图片，不再去噪。" },
  "upscale/scale": { en: "Scale", zh: "放大倍数", help: "宽和高的放大倍数。" },
  "upscale/upscaler": { en: "Upscaler", zh: "放大算法", help: "lanczos 不需要模型。" },
  output_format: { en: "File format", zh: "文件格式" },
  quality: { en: "Quality", zh: "图片质量", help: "JPEG 和 WebP 的质量；PNG 为无损。" },
  metadata: {
    en: "Metadata in the files",
    zh: "文件中的元数据",
    help: "full：完整参数；parameters：仅 AUTOMATIC1111 格式的参数文本；none：不写入。",
  },
  preview: { en: "Live preview", zh: "实时预览", help: "生成过程中显示第一张图的小预览。" },
  tags: { en: "Tags", zh: "标签", help: "任务的标签，可在图库中筛选。" },
  output_s3_uri: { en: "S3 prefix for the images", zh: "图片的 S3 前缀" },
  webhook_url: { en: "Webhook address", zh: "Webhook 地址" },
  webhook_events: { en: "Webhook events", zh: "Webhook 事件" },
};

/** The label of the field at a path, such as `steps` or `loras/0/weight`. */
export function fieldLabel(path: string): string {
  return TEXTS[pattern(path)]?.[language.value] ?? readable(path);
}

/** What the field means; undefined if there is nothing to say beyond its label. */
export function fieldHelp(path: string): string | undefined {
  if (path === "prompt") return text.weights();
  const description = schemaAt(path).description?.replaceAll("`", "");
  const known = TEXTS[pattern(path)];
  if (language.value === "zh" && known !== undefined) return known.help;
  return description === undefined || description.replace(/\.$/, "") === known?.en ? undefined : description;
}

/** What a number that has neither a value nor a default means. */
export function unsetLabel(path: string): string | undefined {
  return TEXTS[pattern(path)]?.unset?.[language.value];
}

function pattern(path: string): string {
  return path.replace(/\/\d+/g, "");
}

function readable(path: string): string {
  const name = (path.split("/").at(-1) ?? "").replaceAll("_", " ");
  return name.charAt(0).toUpperCase() + name.slice(1);
}
