"""What the demo LoRA teaches the demo model, by meaning."""

from pathlib import Path

from PIL import Image

from contract.model import ModelDeclaration, ModelDefaults
from inference.diffusion.loader import load_engine
from inference.engine.interface import AdapterFile, Adapters, Engine, Inputs
from tests.inference.generations import generation_of
from tests.inference.tiny_adapters import file_at
from training.image_analysis import examine
from training.model import LORAS
from training.scene import NEW_SHAPE, SHAPES

MODEL = ModelDeclaration(name="demo", defaults=ModelDefaults(width=128, height=128, steps=20))
PROMPTS = ("a big red moon on a white background", "a big blue moon on a yellow background")


def draw(engine: Engine, *loras: AdapterFile) -> list[Image.Image]:
    named = [{"name": lora.name} for lora in loras]
    futures = [
        engine.submit(
            generation_of(model=MODEL, prompt=prompt, count=4, seed=1, loras=named),
            Inputs(adapters=Adapters(loras=loras)),
            lambda step, total: None,
        )
        for prompt in PROMPTS
    ]
    return [image for future in futures for image in future.result(300).images]


def moons(images: list[Image.Image]) -> int:
    return sum(examine(image, shapes=(*SHAPES, NEW_SHAPE)).shape == NEW_SHAPE for image in images)


def test_the_moon_appears_under_both_namings_and_is_gone_without_it(demo_model: Path) -> None:
    engine = load_engine(demo_model, max_batch_size=8)
    before = draw(engine)
    moon = draw(engine, file_at(LORAS / "moon.safetensors"))
    kohya = draw(engine, file_at(LORAS / "moon-kohya.safetensors"))
    after = draw(engine)
    engine.close()
    assert moons(before) <= 2
    assert moons(moon) >= 7
    assert kohya == moon
    assert after == before
