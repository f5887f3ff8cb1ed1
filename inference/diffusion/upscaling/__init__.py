"""UpscalingLoop pictures with models made for it, tile by tile."""
