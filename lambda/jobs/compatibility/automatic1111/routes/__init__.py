"""The operations of the web UI's API."""

from jobs.compatibility.automatic1111.routes import control, generation, lists, options, png_info

OPERATIONS = (
    *generation.OPERATIONS,
    *control.OPERATIONS,
    *options.OPERATIONS,
    *lists.OPERATIONS,
    *png_info.OPERATIONS,
)
