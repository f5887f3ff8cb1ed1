"""The demo LoRA on the engine: it adds the moon to the demo model's shapes."""

from pathlib import Path

from PIL import Image

from contract.model import ModelDeclaration, ModelDefaults
from inference.diffusion.loader import load_engine
from inference.engine.interface import AdapterFile, Adapters, Callbacks, Engine, Inputs
from tests.inference.generations import generation_of
from tests.inference.tiny_adapters import file_at
from tests.waiting import LIMIT_S
from training.image_analysis import analyse
from training.model import LORAS
from training.shapes import NEW_SHAPE, SHAPES

MODEL = ModelDeclaration(name="demo", defaults=ModelDefaults(width=128, height=128, steps=20))
PROMPTS = ("a big red moon on a white background", "a big blue moon on a yellow background")


def generate(engine: Engine, *loras: AdapterFile) -> list[Image.Image]:
    """Two images for each of `PROMPTS`."""
    futures = [
        engine.submit(
            generation_of(
                model=MODEL, prompt=prompt, count=2, seed=1, loras=[{"name": lora.name} for lora in loras]
            ),
            Inputs(adapters=Adapters(loras=loras)),
            Callbacks(),
        )
        for prompt in PROMPTS
    ]
    return [image for future in futures for image in future.result(LIMIT_S).images]


def moons(images: list[Image.Image]) -> int:
    return sum(analyse(image, shapes=(*SHAPES, NEW_SHAPE)).shape == NEW_SHAPE for image in images)


def test_the_moon_appears_with_the_lora_in_every_format_and_not_without(demo_model: Path) -> None:
    engine = load_engine(demo_model, max_batch_size=8)
    before = generate(engine)
    with_lora = generate(engine, file_at(LORAS / "moon.safetensors"))
    with_kohya_lora = generate(engine, file_at(LORAS / "moon-kohya.safetensors"))
    with_dora = generate(engine, file_at(LORAS / "moon-dora.safetensors"))
    after = generate(engine)
    engine.close()
    assert moons(before) <= 1
    assert moons(with_lora) >= 3
    assert with_kohya_lora == with_lora
    assert moons(with_dora) >= 3
    assert after == before
