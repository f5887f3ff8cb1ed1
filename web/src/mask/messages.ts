import { messages } from "../i18n/messages.ts";

export const text = messages({
  title: { en: "Mask: paint what is to be regenerated", zh: "蒙版：涂抹需要重绘的区域" },
  canvas: { en: "Mask over the image", zh: "图片上的蒙版" },
  help: {
    en: "Wheel or two fingers zoom; Space, two fingers or the middle button move; [ and ] change the brush. Without a pointer: arrow keys move the cursor, with Shift by one pixel, and Space paints.",
    zh: "滚轮或双指缩放；按住空格、双指或中键移动；[ 和 ] 调整画笔。仅用键盘：方向键移动光标（按住 Shift 每次一像素），空格键涂抹。",
  },
  tools: { en: "Tools", zh: "工具" },
  brush: { en: "Brush (B)", zh: "画笔 (B)" },
  eraser: { en: "Eraser (E)", zh: "橡皮擦 (E)" },
  brushSize: { en: "Brush size", zh: "画笔大小" },
  size: { en: (size: number) => `${size} px`, zh: (size: number) => `${size} 像素` },
  undo: { en: "Undo (Ctrl+Z)", zh: "撤销 (Ctrl+Z)" },
  redo: { en: "Redo (Ctrl+Shift+Z)", zh: "重做 (Ctrl+Shift+Z)" },
  clear: { en: "Clear", zh: "清空" },
  invert: { en: "Invert", zh: "反选" },
  zoomIn: { en: "Zoom in (+)", zh: "放大 (+)" },
  zoomOut: { en: "Zoom out (-)", zh: "缩小 (-)" },
  fit: { en: "Show the whole image (0)", zh: "显示整张图片 (0)" },
  accept: { en: "Use the mask", zh: "使用蒙版" },
  cancel: { en: "Cancel", zh: "取消" },
  empty: {
    en: "Nothing is painted. Paint over what is to be regenerated, or cancel to go on without a mask.",
    zh: "尚未涂抹任何区域。请涂抹需要重绘的部分，或取消以不使用蒙版。",
  },
  full: {
    en: "Everything is painted: the whole image is regenerated.",
    zh: "已涂抹整张图片：将重绘全部内容。",
  },
  unused: {
    en: "The mask is not used yet: use it, or cancel to discard your changes.",
    zh: "蒙版尚未使用：请选择“使用蒙版”，或取消以放弃更改。",
  },
  removesBorders: { en: "Using the mask removes the borders.", zh: "使用蒙版将取消扩展边界。" },
  covered: {
    en: (percent: number) => `${percent} % of the image is painted`,
    zh: (percent: number) => `已涂抹图片的 ${percent}%`,
  },
  cursor: {
    en: (x: number, y: number, painted: boolean) => `${x}, ${y}: ${painted ? "painted" : "not painted"}`,
    zh: (x: number, y: number, painted: boolean) => `${x}, ${y}：${painted ? "已涂抹" : "未涂抹"}`,
  },
});
