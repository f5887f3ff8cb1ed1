// Generated from docs/openapi.json by `npm run generate`.
export interface paths {
    readonly "/v1/jobs": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List jobs
         * @description Returns the caller's jobs, newest first; every caller's in a stage with `shared_jobs`.
         *
         *     The jobs have no `progress`, `position`, `eta_seconds` and `preview`; follow one for these.
         */
        readonly get: operations["listJobs"];
        readonly put?: never;
        /**
         * Submit a job
         * @description Stores a job, submits it to its model's endpoint and returns without waiting for it.
         *
         *     A request with an `Idempotency-Key` may be sent again for 24 hours: the response is the job that the first one created, in its current state.
         */
        readonly post: operations["submitJob"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/jobs/{job_id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Follow a job
         * @description Returns the job. While it is unfinished, Retry-After is the seconds to wait between requests.
         */
        readonly get: operations["getJob"];
        readonly put?: never;
        readonly post?: never;
        /**
         * Delete a job
         * @description Deletes the record, the inputs and the images of a job that has ended.
         */
        readonly delete: operations["deleteJob"];
        readonly options?: never;
        readonly head?: never;
        /**
         * Change the tags of a job
         * @description Replaces the tags of the job, whatever its status is.
         */
        readonly patch: operations["updateJob"];
        readonly trace?: never;
    };
    readonly "/v1/jobs/{job_id}/cancel": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Cancel a job
         * @description Requests that the job stop; may be repeated. Follow the job until its `status` is `canceled`.
         */
        readonly post: operations["cancelJob"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/uploads": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Upload an input image
         * @description Permits the upload of one file with this media type and size.
         *
         *     Send the file as a form (`multipart/form-data`) to `url`, then use `s3_uri` as an input image.
         */
        readonly post: operations["createUpload"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/models": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List the models
         * @description Returns the accepted values of `model`, with each model's defaults and limits.
         */
        readonly get: operations["listModels"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/samplers": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List the samplers
         * @description Returns the accepted values of `sampler`.
         */
        readonly get: operations["listSamplers"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/adapters": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List the adapters
         * @description Returns the adapters in the models bucket, by the names that requests use, sorted by kind and name.
         *
         *     Files that no request can name are left out. A new file appears within 30 s.
         */
        readonly get: operations["listAdapters"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/openapi.json": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * The OpenAPI document
         * @description Returns this document.
         */
        readonly get: operations["getOpenapi"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/docs": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * The API reference as a page
         * @description Returns a page that shows this document. The page loads nothing from other hosts.
         */
        readonly get: operations["getDocs"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * AdapterList
         * @description A part of the list of adapters, by kind and name.
         */
        readonly AdapterList: {
            /** Data */
            readonly data: readonly components["schemas"]["AdapterView"][];
            /**
             * Next Cursor
             * @description Continues the list; null at its end.
             */
            readonly next_cursor: string | null;
        };
        /**
         * AdapterType
         * @description A kind of adapter that requests name.
         * @enum {string}
         */
        readonly AdapterType: "lora" | "embedding" | "controlnet" | "vae" | "upscaler";
        /**
         * AdapterView
         * @description An adapter in the models bucket.
         */
        readonly AdapterView: {
            readonly kind: components["schemas"]["AdapterType"];
            /**
             * Name
             * @description The name in requests.
             */
            readonly name: string;
            /**
             * Size
             * @description Size of its files in bytes.
             */
            readonly size: number;
            /**
             * Modified At
             * Format: date-time
             * @description When the latest of its files was stored.
             */
            readonly modified_at: string;
        };
        /**
         * ControlNet
         * @description A ControlNet and its control image.
         */
        readonly ControlNet: {
            /**
             * Type
             * @description Name of a directory under `adapters/controlnets/` in the models bucket.
             */
            readonly type: string;
            /**
             * Image
             * @description Control image; with `preprocess`, the image that the control image is computed from.
             */
            readonly image: string;
            /**
             * Weight
             * @description Conditioning scale of the ControlNet.
             * @default 1
             */
            readonly weight?: number;
            /**
             * Start
             * @description Fraction of the steps at which the ControlNet starts to apply.
             * @default 0
             */
            readonly start?: number;
            /**
             * End
             * @description Fraction of the steps at which the ControlNet stops applying.
             * @default 1
             */
            readonly end?: number;
            /**
             * Preprocess
             * @description Compute the control image from `image`; only for `canny`.
             * @default false
             */
            readonly preprocess?: boolean;
        };
        /**
         * ErrorCode
         * @description Stable, machine-readable names of the errors.
         * @enum {string}
         */
        readonly ErrorCode: "malformed_request" | "validation_failed" | "unauthorized" | "forbidden" | "too_many_requests" | "payload_too_large" | "job_not_found" | "model_not_found" | "route_not_found" | "method_not_allowed" | "endpoint_unavailable" | "model_loading" | "model_load_failed" | "input_fetch_failed" | "input_image_too_large" | "invalid_input_image" | "adapter_not_found" | "adapter_unusable" | "adapters_unavailable" | "invalid_output" | "canceled" | "already_terminal" | "job_running" | "still_running" | "expired" | "idempotency_in_flight" | "idempotency_mismatch" | "out_of_memory" | "timeout" | "internal";
        /**
         * FieldError
         * @description An invalid field.
         */
        readonly FieldError: {
            /**
             * Pointer
             * @description JSON pointer to the field, as a URI fragment: `#/width`.
             */
            readonly pointer: string;
            /**
             * Detail
             * @description What is wrong and what is allowed.
             */
            readonly detail: string;
        };
        /**
         * Generation
         * @description A complete request. Its JSON is a valid `InvocationRequest`, which resolves to an equal generation.
         */
        readonly Generation: {
            /**
             * Id
             * @description A ULID; ids sort by creation time.
             */
            readonly id: string;
            /** Model */
            readonly model: string;
            /**
             * Prompt
             * @description Prompt.
             */
            readonly prompt: string;
            /**
             * Negative Prompt
             * @description Negative prompt.
             */
            readonly negative_prompt: string;
            /**
             * Width
             * @description Null: derived from the input image.
             */
            readonly width: number | null;
            /**
             * Height
             * @description Null: derived from the input image.
             */
            readonly height: number | null;
            /**
             * Steps
             * @description Denoising steps.
             */
            readonly steps: number;
            /**
             * Guidance Scale
             * @description Classifier-free guidance scale; values up to 1 disable it.
             */
            readonly guidance_scale: number;
            /**
             * Sampler
             * @description Sampler: a name, label or alias from GET /v1/samplers.
             */
            readonly sampler: string;
            /**
             * Seed
             * @description Seed of the first image; image i has seed + i.
             */
            readonly seed: number;
            /**
             * Count
             * @description Number of images.
             */
            readonly count: number;
            /**
             * Guidance Rescale
             * @description Share to which predictions with classifier-free guidance are rescaled to the contrast of those without it, against overexposure; models with zero terminal SNR need about 0.7. 0 disables it.
             * @default 0
             */
            readonly guidance_rescale?: number;
            /**
             * Guidance Interval
             * @description Two shares of the steps, between which classifier-free guidance applies; the other steps evaluate the prompt alone, at half the cost. An approximation, unless it is [0, 1]. Steps that image-to-image skips and those of the refiner count. Not for prompts with AND.
             * @default [
             *       0,
             *       1
             *     ]
             * @example [
             *       0.2,
             *       0.8
             *     ]
             */
            readonly guidance_interval?: readonly [
                number,
                number
            ];
            /**
             * Timestep Spacing
             * @default null
             */
            readonly timestep_spacing?: ("leading" | "trailing" | "linspace") | null;
            /**
             * Clip Skip
             * @description CLIP skip: the text encoder layer to use, counted from the last; 2 skips the last one.
             * @default 1
             */
            readonly clip_skip?: number;
            /**
             * Input Image
             * @default null
             */
            readonly input_image?: string | null;
            /**
             * Strength
             * @default null
             */
            readonly strength?: number | null;
            /**
             * Mask Image
             * @default null
             */
            readonly mask_image?: string | null;
            /**
             * Mask Invert
             * @description Whether the mask is inverted: black is regenerated, white is kept.
             * @default false
             */
            readonly mask_invert?: boolean;
            /**
             * Mask Alpha
             * @description Whether the mask is its alpha channel, whatever its colours and however few of its pixels are transparent: opaque is regenerated, transparent is kept.
             * @default false
             */
            readonly mask_alpha?: boolean;
            /**
             * Mask Blur
             * @default null
             */
            readonly mask_blur?: number | null;
            /**
             * Mask Padding
             * @default null
             */
            readonly mask_padding?: number | null;
            /** @default null */
            readonly outpaint?: components["schemas"]["Outpaint"] | null;
            /**
             * Controlnets
             * @default []
             */
            readonly controlnets?: readonly components["schemas"]["ControlNet"][];
            /**
             * Loras
             * @default []
             */
            readonly loras?: readonly components["schemas"]["Lora"][];
            /**
             * Embeddings
             * @description Textual inversions: names of files under `adapters/embeddings/` in the models bucket, without their suffixes. The prompts refer to each by its name.
             * @default []
             */
            readonly embeddings?: readonly string[];
            /**
             * Vae
             * @default null
             */
            readonly vae?: string | null;
            /**
             * Refiner Start
             * @default null
             */
            readonly refiner_start?: number | null;
            /** @default null */
            readonly hires?: components["schemas"]["Hires"] | null;
            /** @default null */
            readonly upscale?: components["schemas"]["Upscale"] | null;
            /** @default png */
            readonly output_format?: components["schemas"]["OutputFormat"];
            /**
             * Quality
             * @description Quality of JPEG and WebP files; PNG files are lossless.
             * @default 90
             */
            readonly quality?: number;
            /**
             * @description Metadata in the image files: `full` (AUTOMATIC1111's parameters text and the request as JSON, with input images named by their SHA-256), `parameters` (the parameters text only) or `none`.
             * @default full
             */
            readonly metadata?: components["schemas"]["MetadataMode"];
            /**
             * Preview
             * @description Whether the job shows a small preview of its first image while it is generated, renewed at most every two seconds. Stages whose NSFW filter blurs or blocks images show none.
             * @default false
             */
            readonly preview?: boolean;
            /**
             * Output S3 Uri
             * @default null
             */
            readonly output_s3_uri?: string | null;
        };
        /**
         * Hires
         * @description Hires fix: upscales the image and denoises it a second time.
         */
        readonly Hires: {
            /**
             * Scale
             * @description Scale factor of width and height.
             * @default 2
             */
            readonly scale?: number;
            /**
             * Steps
             * @description Denoising steps of the second pass; null: those of the first pass.
             * @default null
             */
            readonly steps?: number | null;
            /**
             * Strength
             * @description Denoising strength of the second pass.
             * @default 0.5
             */
            readonly strength?: number;
            /**
             * Upscaler
             * @description Upscaler: name of a file under `adapters/upscalers/` in the models bucket, without its suffix; or `lanczos`, which needs no model.
             * @default lanczos
             */
            readonly upscaler?: string;
        };
        /**
         * JobImage
         * @description A finished image with a link to it.
         */
        readonly JobImage: {
            /**
             * S3 Uri
             * @description URI of the image; null if the safety mode `block` withheld it.
             */
            readonly s3_uri: string | null;
            /**
             * Seed
             * @description Seed of this image. The job's request with this seed and count 1 reproduces it.
             */
            readonly seed: number;
            /**
             * Width
             * @description Width in pixels.
             */
            readonly width: number;
            /**
             * Height
             * @description Height in pixels.
             */
            readonly height: number;
            /**
             * Sha256
             * @description SHA-256 of the file in hexadecimal; null without a file.
             */
            readonly sha256: string | null;
            /**
             * Flags
             * @description `nsfw` if the detector considers the image not safe for work.
             * @default []
             */
            readonly flags?: readonly string[];
            /**
             * Url
             * @description Link that works without credentials until `url_expires_at`; get the job again for a new one. Null if the image is withheld.
             */
            readonly url: string | null;
            /**
             * Url Expires At
             * @description End of the link, within an hour.
             */
            readonly url_expires_at: string | null;
        };
        /**
         * JobLinks
         * @description Paths of further requests. Append a path to the API's URL, the stack output `ApiUrl`.
         */
        readonly JobLinks: {
            /**
             * Self
             * @description Path of the job, for GET and PATCH.
             */
            readonly self: string;
            /**
             * Cancel
             * @description Path for the POST that cancels the job; null once it has ended.
             */
            readonly cancel: string | null;
            /**
             * Delete
             * @description Path for the DELETE that removes the job and its files; null until it has ended.
             */
            readonly delete: string | null;
        };
        /**
         * JobList
         * @description A part of the list of jobs, newest first.
         */
        readonly JobList: {
            /**
             * Data
             * @description May have fewer jobs than `limit`, even none, although there are more.
             */
            readonly data: readonly components["schemas"]["JobView"][];
            /**
             * Next Cursor
             * @description Continues the list; null at its end.
             */
            readonly next_cursor: string | null;
        };
        /**
         * JobPreview
         * @description The preview of the first image of a running job.
         */
        readonly JobPreview: {
            /**
             * Url
             * @description Link to a small JPEG file that works without credentials.
             */
            readonly url: string | null;
            /**
             * Expires At
             * @description End of the link, within an hour.
             */
            readonly expires_at: string | null;
            /**
             * Step
             * @description Completed UNet evaluations when it was made.
             */
            readonly step: number | null;
        };
        /**
         * JobStatus
         * @description The status of a job.
         * @enum {string}
         */
        readonly JobStatus: "queued" | "running" | "succeeded" | "failed" | "canceled" | "expired";
        /**
         * JobSubmission
         * @description A request, its tags and its webhook.
         */
        readonly JobSubmission: {
            /**
             * Model
             * @default null
             */
            readonly model?: string | null;
            /**
             * Prompt
             * @description Prompt.
             */
            readonly prompt: string;
            /**
             * Negative Prompt
             * @description Negative prompt.
             * @default
             */
            readonly negative_prompt?: string;
            /**
             * Width
             * @default null
             */
            readonly width?: number | null;
            /**
             * Height
             * @default null
             */
            readonly height?: number | null;
            /**
             * Steps
             * @default null
             */
            readonly steps?: number | null;
            /**
             * Guidance Scale
             * @default null
             */
            readonly guidance_scale?: number | null;
            /**
             * Guidance Rescale
             * @default null
             */
            readonly guidance_rescale?: number | null;
            /**
             * Guidance Interval
             * @default null
             */
            readonly guidance_interval?: readonly [
                number,
                number
            ] | null;
            /**
             * Sampler
             * @default null
             */
            readonly sampler?: string | null;
            /**
             * Scheduler
             * @default null
             */
            readonly scheduler?: string | null;
            /**
             * Timestep Spacing
             * @default null
             */
            readonly timestep_spacing?: ("leading" | "trailing" | "linspace") | null;
            /**
             * Seed
             * @default null
             */
            readonly seed?: number | null;
            /**
             * Count
             * @default null
             */
            readonly count?: number | null;
            /**
             * Clip Skip
             * @default null
             */
            readonly clip_skip?: number | null;
            /**
             * Input Image
             * @default null
             */
            readonly input_image?: string | null;
            /**
             * Strength
             * @default null
             */
            readonly strength?: number | null;
            /**
             * Mask Image
             * @default null
             */
            readonly mask_image?: string | null;
            /**
             * Mask Invert
             * @description Whether the mask is inverted: black is regenerated, white is kept.
             * @default false
             */
            readonly mask_invert?: boolean;
            /**
             * Mask Alpha
             * @description Whether the mask is its alpha channel, whatever its colours and however few of its pixels are transparent: opaque is regenerated, transparent is kept.
             * @default false
             */
            readonly mask_alpha?: boolean;
            /**
             * Mask Blur
             * @default null
             */
            readonly mask_blur?: number | null;
            /**
             * Mask Padding
             * @default null
             */
            readonly mask_padding?: number | null;
            /** @default null */
            readonly outpaint?: components["schemas"]["Outpaint"] | null;
            /**
             * Controlnets
             * @default []
             */
            readonly controlnets?: readonly components["schemas"]["ControlNet"][];
            /**
             * Loras
             * @default []
             */
            readonly loras?: readonly components["schemas"]["Lora"][];
            /**
             * Embeddings
             * @description Textual inversions: names of files under `adapters/embeddings/` in the models bucket, without their suffixes. The prompts refer to each by its name.
             * @default []
             */
            readonly embeddings?: readonly string[];
            /**
             * Vae
             * @default null
             */
            readonly vae?: string | null;
            /**
             * Refiner Start
             * @default null
             */
            readonly refiner_start?: number | null;
            /** @default null */
            readonly hires?: components["schemas"]["Hires"] | null;
            /** @default null */
            readonly upscale?: components["schemas"]["Upscale"] | null;
            /** @default png */
            readonly output_format?: components["schemas"]["OutputFormat"];
            /**
             * Quality
             * @description Quality of JPEG and WebP files; PNG files are lossless.
             * @default 90
             */
            readonly quality?: number;
            /** @default null */
            readonly metadata?: components["schemas"]["MetadataMode"] | null;
            /**
             * Preview
             * @description Whether the job shows a small preview of its first image while it is generated, renewed at most every two seconds. Stages whose NSFW filter blurs or blocks images show none.
             * @default false
             */
            readonly preview?: boolean;
            /**
             * Output S3 Uri
             * @default null
             */
            readonly output_s3_uri?: string | null;
            /**
             * Tags
             * @description Tags of the job, to list it by.
             * @default []
             */
            readonly tags?: readonly string[];
            /**
             * Webhook Url
             * @default null
             */
            readonly webhook_url?: string | null;
            /**
             * Webhook Events
             * @description Events that the webhook is called for.
             * @default [
             *       "succeeded",
             *       "failed",
             *       "canceled",
             *       "expired"
             *     ]
             */
            readonly webhook_events?: readonly components["schemas"]["WebhookEvent"][];
        };
        /**
         * JobUpdate
         * @description The attributes of a job that its caller may change.
         */
        readonly JobUpdate: {
            /**
             * Tags
             * @description Tags of the job, to list it by.
             */
            readonly tags: readonly string[];
        };
        /**
         * JobView
         * @description A job.
         */
        readonly JobView: {
            /** Id */
            readonly id: string;
            readonly status: components["schemas"]["JobStatus"];
            /** @description Phase of an unfinished job; null once it has ended. */
            readonly phase: components["schemas"]["Phase"] | null;
            /** @description The container's progress; null before it has started the job and once the job has ended. */
            readonly progress: components["schemas"]["Progress"] | null;
            /**
             * Attempt
             * @description Number of the current invocation, from 1; it grows if a container went away.
             */
            readonly attempt: number;
            /**
             * Position
             * @description Place in the queue, from 1; null if unknown, and once the job has started.
             */
            readonly position: number | null;
            /**
             * Eta Seconds
             * @description Estimated seconds until the job ends; null if unknown, and once it has ended.
             */
            readonly eta_seconds: number | null;
            /**
             * Eta Basis
             * @description The measurements that `eta_seconds` is estimated from.
             */
            readonly eta_basis: string | null;
            /** @description The preview of a running job that requested one; null if there is none. */
            readonly preview: components["schemas"]["JobPreview"] | null;
            /**
             * Output S3 Uris
             * @description One per image, known at submission; the objects exist once the job has succeeded.
             */
            readonly output_s3_uris: readonly string[];
            /**
             * Output Location
             * @description Where SageMaker stores the result document.
             */
            readonly output_location: string | null;
            /**
             * Seeds
             * @description One per image.
             */
            readonly seeds: readonly number[];
            /**
             * Images
             * @description Empty until the job has succeeded.
             */
            readonly images: readonly components["schemas"]["JobImage"][];
            /** @description How the images were generated; null until the job has succeeded. */
            readonly result: components["schemas"]["ResultDetails"] | null;
            /** @description Why the job failed or expired; null if it did not. */
            readonly error: components["schemas"]["Problem"] | null;
            /** @description The request with every default filled in. */
            readonly request: components["schemas"]["Generation"];
            /** Tags */
            readonly tags: readonly string[];
            /** Webhook Url */
            readonly webhook_url: string | null;
            /**
             * Webhook Events
             * @description Empty without a webhook.
             */
            readonly webhook_events: readonly components["schemas"]["WebhookEvent"][];
            /**
             * Created At
             * Format: date-time
             */
            readonly created_at: string;
            /**
             * Started At
             * @description When the current attempt started; null before.
             */
            readonly started_at: string | null;
            /**
             * Finished At
             * @description Null until the job has ended.
             */
            readonly finished_at: string | null;
            /**
             * Expires At
             * Format: date-time
             * @description When the job's record and its images are removed.
             */
            readonly expires_at: string;
            readonly links: components["schemas"]["JobLinks"];
        };
        /**
         * Lora
         * @description A LoRA and its weight.
         */
        readonly Lora: {
            /**
             * Name
             * @description Name of a file under `adapters/loras/` in the models bucket, without its suffix.
             */
            readonly name: string;
            /**
             * Weight
             * @description Scale of the LoRA.
             * @default 1
             */
            readonly weight?: number;
        };
        /**
         * MetadataMode
         * @description The metadata that image files contain.
         * @enum {string}
         */
        readonly MetadataMode: "full" | "parameters" | "none";
        /**
         * ModelDefaults
         * @description Request values that are used where a request has none.
         */
        readonly ModelDefaults: {
            /**
             * Width
             * @description Pixels, a multiple of 8.
             * @default 512
             */
            readonly width?: number;
            /**
             * Height
             * @description Pixels, a multiple of 8.
             * @default 512
             */
            readonly height?: number;
            /**
             * Steps
             * @description Denoising steps.
             * @default 30
             */
            readonly steps?: number;
            /**
             * Guidance Scale
             * @description Classifier-free guidance scale; values up to 1 disable it.
             * @default 7.5
             */
            readonly guidance_scale?: number;
            /**
             * Guidance Rescale
             * @description Share to which predictions with classifier-free guidance are rescaled to the contrast of those without it, against overexposure; models with zero terminal SNR need about 0.7. 0 disables it.
             * @default 0
             */
            readonly guidance_rescale?: number;
            /**
             * Guidance Interval
             * @description Two shares of the steps, between which classifier-free guidance applies; the other steps evaluate the prompt alone, at half the cost. An approximation, unless it is [0, 1]. Steps that image-to-image skips and those of the refiner count. Not for prompts with AND.
             * @default [
             *       0,
             *       1
             *     ]
             * @example [
             *       0.2,
             *       0.8
             *     ]
             */
            readonly guidance_interval?: readonly [
                number,
                number
            ];
            /**
             * Sampler
             * @description Sampler: a name, label or alias from GET /v1/samplers.
             * @default euler_a
             */
            readonly sampler?: string;
            /**
             * Timestep Spacing
             * @description Spacing of the timesteps; by default the one of the model's scheduler.
             * @default null
             */
            readonly timestep_spacing?: ("leading" | "trailing" | "linspace") | null;
            /**
             * Count
             * @description Number of images.
             * @default 1
             */
            readonly count?: number;
            /**
             * Strength
             * @description Denoising strength of image-to-image: the share of the steps that run. At 1 the image begins as noise; its brightness and large shapes may still follow the input image, since samplers do not begin at infinite noise. With a mask, 1 begins from noise alone.
             * @default 0.8
             */
            readonly strength?: number;
            /**
             * Clip Skip
             * @description CLIP skip: the text encoder layer to use, counted from the last; 2 skips the last one.
             * @default 1
             */
            readonly clip_skip?: number;
            /**
             * Vae
             * @description A VAE under `adapters/vaes/` in the models bucket, in place of the model's own; by default the model's own is used.
             * @default null
             */
            readonly vae?: string | null;
            /**
             * @description Metadata in the image files: `full` (AUTOMATIC1111's parameters text and the request as JSON), `parameters` (the parameters text only) or `none`.
             * @default full
             */
            readonly metadata?: components["schemas"]["MetadataMode"];
        };
        /**
         * ModelLimits
         * @description The largest request values that the model accepts.
         */
        readonly ModelLimits: {
            /**
             * Min Size
             * @description Minimum width and height in pixels.
             * @default 64
             */
            readonly min_size?: number;
            /**
             * Max Size
             * @description Maximum width and height in pixels.
             * @default 1024
             */
            readonly max_size?: number;
            /**
             * Max Steps
             * @description Denoising steps.
             * @default 150
             */
            readonly max_steps?: number;
            /**
             * Max Count
             * @description Number of images.
             * @default 4
             */
            readonly max_count?: number;
            /**
             * Max Output Size
             * @description Maximum width and height in pixels after `hires` and `upscale`.
             * @default 4096
             */
            readonly max_output_size?: number;
        };
        /**
         * ModelList
         * @description Every deployed model. The form includes the one of OpenAI.
         */
        readonly ModelList: {
            /**
             * Object
             * @default list
             * @constant
             */
            readonly object?: "list";
            /** Data */
            readonly data: readonly components["schemas"]["ModelView"][];
        };
        /**
         * ModelView
         * @description A deployed model with its defaults and limits.
         */
        readonly ModelView: {
            /**
             * Name
             * @description Name of the model: lower-case letters, digits and hyphens.
             */
            readonly name: string;
            /**
             * @default {
             *       "width": 512,
             *       "height": 512,
             *       "steps": 30,
             *       "guidance_scale": 7.5,
             *       "guidance_rescale": 0,
             *       "guidance_interval": [
             *         0,
             *         1
             *       ],
             *       "sampler": "euler_a",
             *       "timestep_spacing": null,
             *       "count": 1,
             *       "strength": 0.8,
             *       "clip_skip": 1,
             *       "vae": null,
             *       "metadata": "full"
             *     }
             */
            readonly defaults?: components["schemas"]["ModelDefaults"];
            /**
             * @default {
             *       "min_size": 64,
             *       "max_size": 1024,
             *       "max_steps": 150,
             *       "max_count": 4,
             *       "max_output_size": 4096
             *     }
             */
            readonly limits?: components["schemas"]["ModelLimits"];
            /**
             * Is Default
             * @description True for the model of requests without `model`.
             */
            readonly is_default: boolean;
            /**
             * Id
             * @description The name, as OpenAI's clients read it.
             */
            readonly id: string;
            /**
             * Object
             * @default model
             * @constant
             */
            readonly object?: "model";
            /**
             * Created
             * @description Always 0: the time is unknown.
             * @default 0
             */
            readonly created?: number;
            /**
             * Owned By
             * @description Always `quick-kit`.
             * @default quick-kit
             */
            readonly owned_by?: string;
        };
        /**
         * Outpaint
         * @description Borders by which the input image is extended.
         */
        readonly Outpaint: {
            /**
             * Left
             * @description Pixels to add, a multiple of 8.
             * @default 0
             */
            readonly left?: number;
            /**
             * Right
             * @description Pixels to add, a multiple of 8.
             * @default 0
             */
            readonly right?: number;
            /**
             * Top
             * @description Pixels to add, a multiple of 8.
             * @default 0
             */
            readonly top?: number;
            /**
             * Bottom
             * @description Pixels to add, a multiple of 8.
             * @default 0
             */
            readonly bottom?: number;
        };
        /**
         * OutputFormat
         * @description The file format of the images.
         * @enum {string}
         */
        readonly OutputFormat: "png" | "jpeg" | "webp";
        /**
         * Phase
         * @description The phase of an unfinished job.
         *
         *     The API derives `waking_capacity`, `queued` and `canceling`; the container reports the others.
         * @enum {string}
         */
        readonly Phase: "waking_capacity" | "queued" | "loading_model" | "denoising" | "uploading" | "canceling";
        /**
         * Problem
         * @description A problem document.
         */
        readonly Problem: {
            /**
             * Type
             * @default about:blank
             */
            readonly type?: string;
            /**
             * Title
             * @description Summary of the error code.
             */
            readonly title: string;
            /**
             * Status
             * @description HTTP status code.
             */
            readonly status: number;
            /**
             * Detail
             * @description Description of this occurrence and the remedy.
             */
            readonly detail: string;
            readonly code: components["schemas"]["ErrorCode"];
            /**
             * Errors
             * @default []
             */
            readonly errors?: readonly components["schemas"]["FieldError"][];
            /**
             * Retryable
             * @description Whether the same request may succeed later.
             */
            readonly retryable: boolean;
            /**
             * Request Id
             * @default null
             */
            readonly request_id?: string | null;
        };
        /**
         * Progress
         * @description A job's progress document, updated by the container at most once a second.
         */
        readonly Progress: {
            readonly phase: components["schemas"]["Phase"];
            /**
             * Step
             * @description Completed UNet evaluations.
             */
            readonly step: number;
            /**
             * Total Steps
             * @description UNet evaluations in total: second-order samplers take two for each step, and image-to-image skips those that `strength` leaves out. 0 while unknown.
             */
            readonly total_steps: number;
            /**
             * Preview Step
             * @description Completed UNet evaluations at the stored preview; null before there is one.
             * @default null
             */
            readonly preview_step?: number | null;
        };
        /**
         * ResultDetails
         * @description Details of a finished generation, beyond the parameters of its request.
         */
        readonly ResultDetails: {
            /**
             * Batch Size
             * @description Size of the largest batch that the images were denoised in, in images like these; other jobs' images and padding are included. Images are reproduced bit for bit only at the same batch size.
             * @default null
             */
            readonly batch_size?: number | null;
            /**
             * Revision
             * @description The model's revision: a Hugging Face commit, or the SHA-256 of the converted file.
             * @default null
             */
            readonly revision?: string | null;
            /**
             * Fallbacks
             * @description Differences from the request: measures to fit in GPU memory or to avoid invalid images, and previews that were left out.
             * @default []
             */
            readonly fallbacks?: readonly string[];
            /**
             * @default {
             *       "mode": "off",
             *       "detector": null
             *     }
             */
            readonly safety?: components["schemas"]["SafetyReport"];
            /**
             * Durations S
             * @description Seconds by stage: `fetch` (with input images), `denoise`, `encode`, `upload`; and `total`, which includes waiting times.
             */
            readonly durations_s: {
                readonly [key: string]: number;
            };
            /**
             * Versions
             * @description Versions of the libraries that generated the images, and the selected GPU kernels.
             */
            readonly versions: {
                readonly [key: string]: string;
            };
        };
        /**
         * SafetyMode
         * @description The treatment of images that the NSFW detector flags.
         * @enum {string}
         */
        readonly SafetyMode: "off" | "flag" | "blur" | "block";
        /**
         * SafetyReport
         * @description The NSFW filter that was applied to the images of a job.
         */
        readonly SafetyReport: {
            readonly mode: components["schemas"]["SafetyMode"];
            /**
             * Detector
             * @description Name and version of the detector; null for mode `off`.
             */
            readonly detector: string | null;
        };
        /**
         * SamplerList
         * @description Every sampler.
         */
        readonly SamplerList: {
            /** Data */
            readonly data: readonly components["schemas"]["SamplerView"][];
        };
        /**
         * SamplerView
         * @description A sampler.
         */
        readonly SamplerView: {
            /** Name */
            readonly name: string;
            /**
             * Label
             * @description Display name.
             */
            readonly label: string;
            /**
             * Aliases
             * @description Other accepted names.
             */
            readonly aliases: readonly string[];
            /**
             * Schedule Types
             * @description Accepted values of `scheduler`; each may also follow the name: `dpmpp_2m_karras`.
             */
            readonly schedule_types: readonly string[];
        };
        /**
         * UploadRequest
         * @description A request to upload a file.
         */
        readonly UploadRequest: {
            /**
             * Content Type
             * @description Media type of the file.
             * @enum {string}
             */
            readonly content_type: "image/png" | "image/jpeg" | "image/webp" | "image/gif" | "image/bmp" | "image/tiff" | "image/avif" | "image/heic" | "image/heif";
            /**
             * Size
             * @description Size of the file in bytes.
             */
            readonly size: number;
        };
        /**
         * UploadView
         * @description A permitted upload of one file.
         */
        readonly UploadView: {
            /**
             * S3 Uri
             * @description For `input_image`, `mask_image` and `image`, once the file is uploaded.
             */
            readonly s3_uri: string;
            /**
             * Url
             * @description Address of the `multipart/form-data` POST that uploads the file.
             */
            readonly url: string;
            /**
             * Fields
             * @description Fields of the form. The file follows them, as `file`.
             */
            readonly fields: {
                readonly [key: string]: string;
            };
            /**
             * Expires At
             * Format: date-time
             * @description End of the permission, within an hour.
             */
            readonly expires_at: string;
        };
        /**
         * Upscale
         * @description Upscaling of the finished image, without further denoising.
         */
        readonly Upscale: {
            /**
             * Scale
             * @description Scale factor of width and height.
             * @default 2
             */
            readonly scale?: number;
            /**
             * Upscaler
             * @description Upscaler: name of a file under `adapters/upscalers/` in the models bucket, without its suffix; or `lanczos`, which needs no model.
             * @default lanczos
             */
            readonly upscaler?: string;
        };
        /**
         * WebhookEvent
         * @description An event of a job that its webhook is called for.
         * @enum {string}
         */
        readonly WebhookEvent: "started" | "succeeded" | "failed" | "canceled" | "expired";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    readonly listJobs: {
        readonly parameters: {
            readonly query?: {
                /** @description Jobs with this status. */
                readonly status?: components["schemas"]["JobStatus"];
                /** @description Jobs of this model. */
                readonly model?: string;
                /** @description Jobs with this tag. */
                readonly tag?: string;
                /** @description Jobs whose prompt contains this text within its first 1,000 characters, without regard to case. */
                readonly text?: string;
                /** @description Number of jobs at most. */
                readonly limit?: number;
                /** @description The `next_cursor` of the previous response, with the same filters. */
                readonly cursor?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A part of the list. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["JobList"];
                };
            };
            /** @description The path or a header is malformed. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The API key is missing or wrong. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The path does not have this method; the header `Allow` lists its methods. */
            readonly 405: {
                headers: {
                    /** @description The methods of the path. */
                    readonly Allow?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A query parameter is unknown or invalid: `errors` names it. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There are too many requests; wait and try again. */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service failed; try again. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is unavailable; try again. */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly submitJob: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description 1 to 255 printable ASCII characters, such as a UUID; a new one for each job. */
                readonly "Idempotency-Key"?: string;
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["JobSubmission"];
            };
        };
        readonly responses: {
            /** @description The job is queued; its images will be stored at `output_s3_uris`. */
            readonly 202: {
                headers: {
                    /** @description The job's address, relative to the request's. */
                    readonly Location?: string;
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description The body is not a JSON object, or is nested too deep or has too many values. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The API key is missing or wrong. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such model. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The path does not have this method; the header `Allow` lists its methods. */
            readonly 405: {
                headers: {
                    /** @description The methods of the path. */
                    readonly Allow?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The first request with this `Idempotency-Key` is being processed; send it again. */
            readonly 409: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid: `errors` names the fields. Or the `Idempotency-Key` was used for another request. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There are too many requests; wait and try again. */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service failed; try again. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The model's endpoint did not accept the job. */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly getJob: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The `ETag` of the response that the client has. */
                readonly "If-None-Match"?: string;
            };
            readonly path: {
                /** @description A ULID; ids sort by creation time. */
                readonly job_id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The job's current state. */
            readonly 200: {
                headers: {
                    /** @description Identifies this state of the job, for `If-None-Match`. */
                    readonly ETag?: string;
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description The client's copy is current, and its links still work. */
            readonly 304: {
                headers: {
                    /** @description Identifies this state of the job, for `If-None-Match`. */
                    readonly ETag?: string;
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The path or a header is malformed. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The API key is missing or wrong. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such job. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The path does not have this method; the header `Allow` lists its methods. */
            readonly 405: {
                headers: {
                    /** @description The methods of the path. */
                    readonly Allow?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There are too many requests; wait and try again. */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service failed; try again. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is unavailable; try again. */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly deleteJob: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description A ULID; ids sort by creation time. */
                readonly job_id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The job, its inputs and its images are deleted. */
            readonly 204: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The path or a header is malformed. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The API key is missing or wrong. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such job. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The path does not have this method; the header `Allow` lists its methods. */
            readonly 405: {
                headers: {
                    /** @description The methods of the path. */
                    readonly Allow?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The job has not ended; cancel it first. */
            readonly 409: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There are too many requests; wait and try again. */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service failed; try again. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Files of the job could not be deleted; send the request again. */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly updateJob: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description A ULID; ids sort by creation time. */
                readonly job_id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["JobUpdate"];
            };
        };
        readonly responses: {
            /** @description The job with the new tags. */
            readonly 200: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description The body is not a JSON object. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The API key is missing or wrong. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such job. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The path does not have this method; the header `Allow` lists its methods. */
            readonly 405: {
                headers: {
                    /** @description The methods of the path. */
                    readonly Allow?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid: `errors` names the fields. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There are too many requests; wait and try again. */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service failed; try again. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is unavailable; try again. */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly cancelJob: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description A ULID; ids sort by creation time. */
                readonly job_id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The job will not start, or will stop, unless it finishes first. */
            readonly 202: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description The path or a header is malformed. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The API key is missing or wrong. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such job. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The path does not have this method; the header `Allow` lists its methods. */
            readonly 405: {
                headers: {
                    /** @description The methods of the path. */
                    readonly Allow?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The job has already ended. */
            readonly 409: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There are too many requests; wait and try again. */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service failed; try again. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The cancellation could not be stored; send it again. */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly createUpload: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["UploadRequest"];
            };
        };
        readonly responses: {
            /** @description The form that uploads the file. */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["UploadView"];
                };
            };
            /** @description The body is not a JSON object. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The API key is missing or wrong. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The path does not have this method; the header `Allow` lists its methods. */
            readonly 405: {
                headers: {
                    /** @description The methods of the path. */
                    readonly Allow?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid: `errors` names the fields. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There are too many requests; wait and try again. */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service failed; try again. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is unavailable; try again. */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly listModels: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Every deployed model. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ModelList"];
                };
            };
            /** @description The path or a header is malformed. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The API key is missing or wrong. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The path does not have this method; the header `Allow` lists its methods. */
            readonly 405: {
                headers: {
                    /** @description The methods of the path. */
                    readonly Allow?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There are too many requests; wait and try again. */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service failed; try again. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is unavailable; try again. */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly listSamplers: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Every sampler. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["SamplerList"];
                };
            };
            /** @description The path or a header is malformed. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The API key is missing or wrong. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The path does not have this method; the header `Allow` lists its methods. */
            readonly 405: {
                headers: {
                    /** @description The methods of the path. */
                    readonly Allow?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There are too many requests; wait and try again. */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service failed; try again. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is unavailable; try again. */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly listAdapters: {
        readonly parameters: {
            readonly query?: {
                /** @description Adapters of this kind. */
                readonly kind?: components["schemas"]["AdapterType"];
                /** @description Number of adapters at most. */
                readonly limit?: number;
                /** @description The `next_cursor` of the previous response, with the same `kind`. */
                readonly cursor?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A part of the list. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["AdapterList"];
                };
            };
            /** @description The path or a header is malformed. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The API key is missing or wrong. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The path does not have this method; the header `Allow` lists its methods. */
            readonly 405: {
                headers: {
                    /** @description The methods of the path. */
                    readonly Allow?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A query parameter is unknown or invalid: `errors` names it. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There are too many requests; wait and try again. */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service failed; try again. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The models bucket cannot be listed now; try again. */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly getOpenapi: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The OpenAPI 3.1 document of this API. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": Record<string, never>;
                };
            };
            /** @description The path or a header is malformed. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The path does not have this method; the header `Allow` lists its methods. */
            readonly 405: {
                headers: {
                    /** @description The methods of the path. */
                    readonly Allow?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There are too many requests; wait and try again. */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service failed; try again. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is unavailable; try again. */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly getDocs: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description An HTML page. */
            readonly 200: {
                headers: {
                    /** @description Forbids the page to load anything from other hosts. */
                    readonly "Content-Security-Policy"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/html": string;
                };
            };
            /** @description The path or a header is malformed. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The path does not have this method; the header `Allow` lists its methods. */
            readonly 405: {
                headers: {
                    /** @description The methods of the path. */
                    readonly Allow?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There are too many requests; wait and try again. */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service failed; try again. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is unavailable; try again. */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before the next request. */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
