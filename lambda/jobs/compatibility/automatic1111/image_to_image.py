"""Requests for image to image and inpainting."""

from typing import Annotated, Any

from pydantic import Field

from contract.images import MAX_DATA_URL_CHARACTERS
from jobs.compatibility.automatic1111.fields import ImageRequest, invalid
from jobs.compatibility.automatic1111.images import has_ratio_of, image_uri
from jobs.compatibility.neutral import only

_CROP_AND_RESIZE = 1
_ORIGINAL = 1
_NOISE = (2, 3)
"""Contents of the masked area that only noise remains of at the full strength."""

NAMES = {
    "input_image": "init_images/0",
    "mask_image": "mask",
    "strength": "denoising_strength",
    "mask_invert": "inpainting_mask_invert",
    "mask_padding": "inpaint_full_res_padding",
}
"""The web UI's names of fields."""

_Image = Annotated[str, Field(min_length=1, max_length=MAX_DATA_URL_CHARACTERS)]
_Blur = Annotated[int, Field(ge=0, le=1000)]


class ImageToImageRequest(ImageRequest):
    """A request for image to image. Images are base64, with or without the header of a `data:` URL.

    Fields of masks have no effect without `mask`.
    """

    init_images: Annotated[tuple[_Image, ...], Field(min_length=1, max_length=1)]
    resize_mode: Annotated[
        int,
        Field(
            ge=0,
            le=3,
            description="1 (crop and resize), or another one for an image with the same aspect ratio.",
        ),
    ] = _CROP_AND_RESIZE
    mask: Annotated[
        _Image | None, Field(description="White is regenerated; opaque, if there are transparent areas.")
    ] = None
    mask_blur: _Blur | None = None
    mask_blur_x: _Blur | None = None
    mask_blur_y: _Blur | None = None
    mask_round: Annotated[
        bool | None, only(True, refusal="is true in this API; remove it"), Field(description="True only.")
    ] = None
    latent_mask: Annotated[
        Any, only("", refusal="is not available; send mask"), Field(description="Null only.")
    ] = None
    inpainting_mask_invert: Annotated[bool, Field(description="Whether black is regenerated.")] = False
    inpainting_fill: Annotated[
        int,
        Field(ge=0, le=3, description="1 (original); 2 and 3 at a `denoising_strength` of 1."),
    ] = _ORIGINAL
    inpaint_full_res: Annotated[
        bool, Field(description="Whether only the masked area is generated, at the whole size.")
    ] = True
    inpaint_full_res_padding: Annotated[
        int, Field(ge=0, description="Pixels around the masked area that are taken into account.")
    ] = 0
    initial_noise_multiplier: Annotated[
        float | None, only(1, refusal="is 1 in this API; remove it"), Field(description="1 or null only.")
    ] = None
    image_cfg_scale: Annotated[
        float | None,
        Field(allow_inf_nan=False, description="Without effect: it is for InstructPix2Pix models."),
    ] = None
    include_init_images: Annotated[
        bool, Field(description="Whether the answer repeats the images of the request.")
    ] = False

    def own_fields(self) -> tuple[dict[str, Any], dict[str, str]]:
        """See `common_fields`."""
        image = image_uri(self.init_images[0], "#/init_images/0")
        fields, names = self.common_fields(image)
        fields |= {"input_image": image, "strength": self.denoising_strength}
        if self.mask is not None:
            fields |= self._mask_fields()
        is_whole = self.mask is None or not self.inpaint_full_res
        if is_whole and self.resize_mode != _CROP_AND_RESIZE:
            self._check_ratio(image)
        return fields, {**names, **NAMES}

    def echo(self) -> dict[str, Any]:
        """See `ImageRequest.echo`; the images only if they are to be repeated."""
        images = {} if self.include_init_images else {"init_images": None, "mask": None}
        return {**super().echo(), **images}

    def _mask_fields(self) -> dict[str, Any]:
        if self.inpainting_fill != _ORIGINAL and not (
            self.inpainting_fill in _NOISE and self.denoising_strength == 1
        ):
            detail = "must be 1 (original); 2 and 3 are accepted at a denoising_strength of 1"
            raise invalid("inpainting_fill", detail)
        return {
            "mask_image": image_uri(self.mask or "", "#/mask"),
            "mask_invert": self.inpainting_mask_invert,
            "mask_blur": self._mask_blur(),
            "mask_padding": self.inpaint_full_res_padding if self.inpaint_full_res else None,
        }

    def _mask_blur(self) -> int | None:
        if self.mask_blur is not None:
            return self.mask_blur
        if self.mask_blur_x != self.mask_blur_y:
            raise invalid("mask_blur_y", "must be the same as mask_blur_x")
        return self.mask_blur_x

    def _check_ratio(self, image: str) -> None:
        if self.size is not None and not has_ratio_of(image, self.size):
            raise invalid(
                "resize_mode",
                "images are cropped to the aspect ratio of width and height, not stretched or filled; send "
                "1 (crop and resize), or the image's own aspect ratio",
            )
