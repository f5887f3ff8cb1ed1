import io

from PIL import Image

from inference import images


def test_a_png_holds_the_picture_exactly() -> None:
    image = Image.effect_noise((32, 16), 90).convert("RGB")
    assert Image.open(io.BytesIO(images.encode_png(image))).tobytes() == image.tobytes()
