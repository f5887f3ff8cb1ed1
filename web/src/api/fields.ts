// Generated from docs/openapi.json by `npm run generate`.
export const FIELDS = {
  "model": {
    "type": "string",
    "default": null
  },
  "prompt": {
    "type": "string",
    "description": "Prompt.",
    "minLength": 1,
    "maxLength": 4000
  },
  "negative_prompt": {
    "type": "string",
    "description": "Negative prompt.",
    "default": "",
    "maxLength": 4000
  },
  "width": {
    "type": "integer",
    "description": "Pixels, a multiple of 8.",
    "default": null,
    "minimum": 8,
    "maximum": 16376,
    "multipleOf": 8
  },
  "height": {
    "type": "integer",
    "description": "Pixels, a multiple of 8.",
    "default": null,
    "minimum": 8,
    "maximum": 16376,
    "multipleOf": 8
  },
  "steps": {
    "type": "integer",
    "description": "Denoising steps.",
    "default": null,
    "minimum": 1,
    "maximum": 1000
  },
  "guidance_scale": {
    "type": "number",
    "description": "Classifier-free guidance scale; values up to 1 disable it.",
    "default": null,
    "minimum": 0,
    "maximum": 50
  },
  "guidance_rescale": {
    "type": "number",
    "description": "Share to which predictions with classifier-free guidance are rescaled to the contrast of those without it, against overexposure; models with zero terminal SNR need about 0.7. 0 disables it.",
    "default": null,
    "minimum": 0,
    "maximum": 1
  },
  "guidance_interval": {
    "type": "array",
    "description": "Two shares of the steps, between which classifier-free guidance applies; the other steps evaluate the prompt alone, at half the cost. An approximation, unless it is [0, 1]. Steps that image-to-image skips and those of the refiner count. Not for prompts with AND.",
    "default": null,
    "minItems": 2,
    "maxItems": 2
  },
  "sampler": {
    "type": "string",
    "description": "Sampler: a name, label or alias from GET /v1/samplers.",
    "default": null,
    "minLength": 1,
    "maxLength": 64
  },
  "scheduler": {
    "type": "string",
    "description": "Noise schedule of the sampler, as AUTOMATIC1111 and ComfyUI name it: one of the sampler's `schedule_types` from GET /v1/samplers, or `automatic`. `sampler` may include it instead: `dpmpp_2m_karras`. Without `sampler`, it may name the sampler, as in Replicate's API.",
    "default": null,
    "minLength": 1,
    "maxLength": 64
  },
  "timestep_spacing": {
    "type": "string",
    "description": "Spacing of the timesteps, as in diffusers' schedulers; few-step models need `trailing`. Null: the model's.",
    "default": null,
    "enum": [
      "leading",
      "trailing",
      "linspace"
    ]
  },
  "seed": {
    "type": "integer",
    "description": "Seed of the first image; image i has seed + i.",
    "default": null,
    "minimum": 0,
    "maximum": 4294967295
  },
  "count": {
    "type": "integer",
    "description": "Number of images.",
    "default": null,
    "minimum": 1,
    "maximum": 64
  },
  "clip_skip": {
    "type": "integer",
    "description": "CLIP skip: the text encoder layer to use, counted from the last; 2 skips the last one.",
    "default": null,
    "minimum": 1,
    "maximum": 12
  },
  "input_image": {
    "type": "string",
    "description": "Input image of image-to-image and inpainting.",
    "default": null,
    "minLength": 8,
    "maxLength": 5000000
  },
  "strength": {
    "type": "number",
    "description": "Denoising strength of image-to-image: the share of the steps that run. At 1 the image begins as noise; its brightness and large shapes may still follow the input image, since samplers do not begin at infinite noise. With a mask, 1 begins from noise alone.",
    "default": null,
    "maximum": 1,
    "exclusiveMinimum": 0
  },
  "mask_image": {
    "type": "string",
    "description": "Inpainting mask. White is regenerated, black is kept. A mask with transparent areas: opaque is regenerated, transparent is kept.",
    "default": null,
    "minLength": 8,
    "maxLength": 5000000
  },
  "mask_invert": {
    "type": "boolean",
    "description": "Whether the mask is inverted: black is regenerated, white is kept.",
    "default": false
  },
  "mask_alpha": {
    "type": "boolean",
    "description": "Whether the mask is its alpha channel, whatever its colours and however few of its pixels are transparent: opaque is regenerated, transparent is kept.",
    "default": false
  },
  "mask_blur": {
    "type": "integer",
    "description": "Mask blur: width in pixels of the transition between regenerated and kept areas.",
    "default": null,
    "minimum": 0,
    "maximum": 64
  },
  "mask_padding": {
    "type": "integer",
    "description": "Only the masked area, with so many pixels of the input image around it, is generated, at the whole generation size, and pasted back: AUTOMATIC1111's `Only masked`. The image keeps the size of the input image. Null: the whole image is generated.",
    "default": null,
    "minimum": 0,
    "maximum": 512
  },
  "outpaint": {
    "type": "object",
    "description": "Borders by which the input image is extended.",
    "default": null,
    "properties": {
      "left": {
        "type": "integer",
        "description": "Pixels to add, a multiple of 8.",
        "default": 0,
        "minimum": 0,
        "maximum": 2048,
        "multipleOf": 8
      },
      "right": {
        "type": "integer",
        "description": "Pixels to add, a multiple of 8.",
        "default": 0,
        "minimum": 0,
        "maximum": 2048,
        "multipleOf": 8
      },
      "top": {
        "type": "integer",
        "description": "Pixels to add, a multiple of 8.",
        "default": 0,
        "minimum": 0,
        "maximum": 2048,
        "multipleOf": 8
      },
      "bottom": {
        "type": "integer",
        "description": "Pixels to add, a multiple of 8.",
        "default": 0,
        "minimum": 0,
        "maximum": 2048,
        "multipleOf": 8
      }
    },
    "required": []
  },
  "controlnets": {
    "type": "array",
    "default": [],
    "maxItems": 4,
    "items": {
      "type": "object",
      "description": "A ControlNet and its control image.",
      "properties": {
        "type": {
          "type": "string",
          "description": "Name of a directory under `adapters/controlnets/` in the models bucket.",
          "minLength": 1,
          "maxLength": 100
        },
        "image": {
          "type": "string",
          "description": "Control image; with `preprocess`, the image that the control image is computed from.",
          "minLength": 8,
          "maxLength": 5000000
        },
        "weight": {
          "type": "number",
          "description": "Conditioning scale of the ControlNet.",
          "default": 1,
          "minimum": 0,
          "maximum": 2
        },
        "start": {
          "type": "number",
          "description": "Fraction of the steps at which the ControlNet starts to apply.",
          "default": 0,
          "minimum": 0,
          "maximum": 1
        },
        "end": {
          "type": "number",
          "description": "Fraction of the steps at which the ControlNet stops applying.",
          "default": 1,
          "minimum": 0,
          "maximum": 1
        },
        "preprocess": {
          "type": "boolean",
          "description": "Compute the control image from `image`; only for `canny`.",
          "default": false
        }
      },
      "required": [
        "type",
        "image"
      ]
    }
  },
  "loras": {
    "type": "array",
    "default": [],
    "maxItems": 8,
    "items": {
      "type": "object",
      "description": "A LoRA and its weight.",
      "properties": {
        "name": {
          "type": "string",
          "description": "Name of a file under `adapters/loras/` in the models bucket, without its suffix.",
          "minLength": 1,
          "maxLength": 100
        },
        "weight": {
          "type": "number",
          "description": "Scale of the LoRA.",
          "default": 1,
          "minimum": -4,
          "maximum": 4
        }
      },
      "required": [
        "name"
      ]
    }
  },
  "embeddings": {
    "type": "array",
    "description": "Textual inversions: names of files under `adapters/embeddings/` in the models bucket, without their suffixes. The prompts refer to each by its name.",
    "default": [],
    "maxItems": 8,
    "items": {
      "type": "string",
      "description": "A file's name in any script, without its suffix: no slashes, and no dot in front.",
      "minLength": 1,
      "maxLength": 100
    }
  },
  "vae": {
    "type": "string",
    "description": "VAE: name of a directory or file under `adapters/vaes/` in the models bucket; null: the model's own.",
    "default": null,
    "minLength": 1,
    "maxLength": 100
  },
  "refiner_start": {
    "type": "number",
    "description": "Fraction of the steps after which the SDXL refiner takes over.",
    "default": null,
    "exclusiveMinimum": 0
  },
  "hires": {
    "type": "object",
    "description": "Hires fix: upscales the image and denoises it a second time.",
    "default": null,
    "properties": {
      "scale": {
        "type": "number",
        "description": "Scale factor of width and height.",
        "default": 2,
        "maximum": 4,
        "exclusiveMinimum": 1
      },
      "steps": {
        "type": "integer",
        "description": "Denoising steps of the second pass; null: those of the first pass.",
        "default": null,
        "minimum": 1,
        "maximum": 1000
      },
      "strength": {
        "type": "number",
        "description": "Denoising strength of the second pass.",
        "default": 0.5,
        "maximum": 1,
        "exclusiveMinimum": 0
      },
      "upscaler": {
        "type": "string",
        "description": "Upscaler: name of a file under `adapters/upscalers/` in the models bucket, without its suffix; or `lanczos`, which needs no model.",
        "default": "lanczos",
        "minLength": 1,
        "maxLength": 100
      }
    },
    "required": []
  },
  "upscale": {
    "type": "object",
    "description": "Upscaling of the finished image, without further denoising.",
    "default": null,
    "properties": {
      "scale": {
        "type": "number",
        "description": "Scale factor of width and height.",
        "default": 2,
        "maximum": 4,
        "exclusiveMinimum": 1
      },
      "upscaler": {
        "type": "string",
        "description": "Upscaler: name of a file under `adapters/upscalers/` in the models bucket, without its suffix; or `lanczos`, which needs no model.",
        "default": "lanczos",
        "minLength": 1,
        "maxLength": 100
      }
    },
    "required": []
  },
  "output_format": {
    "type": "string",
    "description": "The file format of the images.",
    "default": "png",
    "enum": [
      "png",
      "jpeg",
      "webp"
    ]
  },
  "quality": {
    "type": "integer",
    "description": "Quality of JPEG and WebP files; PNG files are lossless.",
    "default": 90,
    "minimum": 1,
    "maximum": 100
  },
  "metadata": {
    "type": "string",
    "description": "Metadata in the image files: `full` (AUTOMATIC1111's parameters text and the request as JSON, with input images named by their SHA-256), `parameters` (the parameters text only) or `none`.",
    "default": null,
    "enum": [
      "full",
      "parameters",
      "none"
    ]
  },
  "preview": {
    "type": "boolean",
    "description": "Whether the job shows a small preview of its first image while it is generated, renewed at most every two seconds. Stages whose NSFW filter blurs or blocks images show none.",
    "default": false
  },
  "output_s3_uri": {
    "type": "string",
    "description": "S3 prefix for the images, `s3://bucket/prefix/`; they are stored under the job's id there. The stage's setting `output_prefixes` lists the accepted ones; null: the stage's data bucket.",
    "default": null,
    "maxLength": 900
  },
  "tags": {
    "type": "array",
    "description": "Tags of the job, to list it by.",
    "default": [],
    "maxItems": 10,
    "items": {
      "type": "string",
      "description": "Letters, digits and any of `_.:/=+@-`.",
      "minLength": 1,
      "maxLength": 64
    }
  },
  "webhook_url": {
    "type": "string",
    "description": "Public https:// address that the events are posted to, signed (Standard Webhooks).",
    "default": null,
    "maxLength": 2048
  },
  "webhook_events": {
    "type": "array",
    "description": "Events that the webhook is called for.",
    "default": [
      "succeeded",
      "failed",
      "canceled",
      "expired"
    ],
    "minItems": 1,
    "maxItems": 5,
    "items": {
      "type": "string",
      "description": "An event of a job that its webhook is called for.",
      "enum": [
        "started",
        "succeeded",
        "failed",
        "canceled",
        "expired"
      ]
    }
  }
} as const;
