from local.showcase import captions


def test_common_and_differing_fields() -> None:
    common = {"prompt": "a star", "input_image": "data:image/png;base64,AAAA", "seed": 7}
    one, other = common | {"loras": []}, common | {"loras": [{"name": "moon", "weight": 0.5}]}
    assert captions.common_fields([one, other]) == "prompt: a star\ninput_image: data:…\nseed: 7"
    assert captions.differing_fields(one, [one, other]) == "loras: none"
    assert captions.differing_fields(other, [one, other]) == "loras: name moon, weight 0.5"


def test_a_long_prompt_is_shortened_in_the_middle() -> None:
    caption = captions.common_fields([{"prompt": f"a red {'photo ' * 100}circle"}])
    assert caption.startswith("prompt: a red photo")
    assert caption.endswith("photo circle")
    assert len(caption) < 80
