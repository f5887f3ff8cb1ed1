import { messages } from "../i18n/messages.ts";

export const text = messages({
  images: { en: "Images", zh: "图片" },
  image: {
    en: (prompt: string) => `Image: ${prompt}`,
    zh: (prompt: string) => `图片：${prompt}`,
  },
  select: { en: "Select", zh: "选择" },
  nsfw: { en: "Not safe for work", zh: "可能含成人内容" },
  withheld: { en: "The safety filter has withheld this image.", zh: "安全过滤器已拦截此图片。" },
  broken: { en: "The image cannot be loaded.", zh: "图片无法加载。" },
  favorite: { en: "Favourite", zh: "收藏" },
  favorites: { en: "Favourites", zh: "收藏" },
  search: { en: "Search prompts", zh: "搜索提示词" },
  model: { en: "Model", zh: "模型" },
  allModels: { en: "All models", zh: "所有模型" },
  status: { en: "Status", zh: "状态" },
  allStatuses: { en: "All statuses", zh: "所有状态" },
  tag: { en: "Tag", zh: "标签" },
  filters: { en: "Filters", zh: "筛选" },
  clearFilters: { en: "Clear filters", zh: "清除筛选" },
  none: {
    en: "There are no images yet. Write a prompt and generate one.",
    zh: "还没有图片。写下提示词，生成第一张吧。",
  },
  noMatch: { en: "No job matches these filters.", zh: "没有符合筛选条件的任务。" },
  loading: { en: "Loading…", zh: "加载中…" },
  searchFurther: { en: "Search further back", zh: "继续搜索更早的任务" },
  paused: {
    en: "No match among the newer jobs; there are older ones.",
    zh: "较新的任务中没有匹配项，还有更早的任务。",
  },
  retry: { en: "Try again", zh: "重试" },
  selected: {
    en: (count: number) => `${count} selected`,
    zh: (count: number) => `已选 ${count} 项`,
  },
  clear: { en: "Clear selection", zh: "取消选择" },
  download: { en: "Download", zh: "下载" },
  delete: { en: "Delete", zh: "删除" },
  keep: { en: "Keep", zh: "保留" },
  deleteTitle: {
    en: (images: number) => (images === 1 ? "Delete 1 image?" : `Delete ${images} images?`),
    zh: (images: number) => `删除 ${images} 张图片？`,
  },
  deleteJobs: {
    en: (jobs: number) =>
      jobs === 1 ? "Delete 1 job without images?" : `Delete ${jobs} jobs without images?`,
    zh: (jobs: number) => `删除 ${jobs} 个没有图片的任务？`,
  },
  deleteNote: { en: "They are removed for good, with their files.", zh: "图片及其文件将被永久删除。" },
  deleteOthers: {
    en: (images: number) =>
      `A job is deleted as a whole: this includes ${images === 1 ? "1 image" : `${images} images`} that you have not selected.`,
    zh: (images: number) => `任务会被整体删除：其中包括 ${images} 张未选中的图片。`,
  },
  deleted: {
    en: (jobs: number) => (jobs === 1 ? "Deleted." : `${jobs} jobs were deleted.`),
    zh: (jobs: number) => (jobs === 1 ? "已删除。" : `已删除 ${jobs} 个任务。`),
  },
  partial: {
    en: (done: number, failed: number, reason: string) => `${done} done, ${failed} failed: ${reason}`,
    zh: (done: number, failed: number, reason: string) => `成功 ${done} 个，失败 ${failed} 个：${reason}`,
  },
});
