from contract.images import IMAGE_MEDIA_TYPES
from operations.input_forms import file_formats


def test_every_media_type_belongs_to_a_format_that_the_container_decodes() -> None:
    listed = [each.strip("`") for _, media_types in file_formats() for each in media_types.split(", ")]
    assert sorted(listed) == sorted(IMAGE_MEDIA_TYPES)
