// Generated from docs/openapi.json by `npm run generate`.
export const UPLOAD = {
  "content_type": {
    "type": "string",
    "description": "Media type of the file.",
    "enum": [
      "image/png",
      "image/jpeg",
      "image/webp",
      "image/gif",
      "image/bmp",
      "image/tiff",
      "image/avif",
      "image/heic",
      "image/heif"
    ]
  },
  "size": {
    "type": "integer",
    "description": "Size of the file in bytes.",
    "minimum": 1,
    "maximum": 26214400
  }
} as const;
