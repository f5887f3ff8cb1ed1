"""Jobs sent through their passes, without a server around them."""

import asyncio

from contract.generation import Generation
from contract.keys import LANCZOS
from contract.problem import ErrorCode, FieldError, ProblemError, describe
from inference.engine.interface import AdapterFile, Engine, GenerationOutput, Inputs, OnStep
from inference.invocation.multi_pass import MultiPassGenerator
from inference.invocation.upscalers import FetchUpscaler, UpscalerResolver
from inference.observability.logs import ContextThreadPool

NOTHING = Inputs()


def no_upscaler(name: str, *, pointer: str) -> AdapterFile:
    """Says that there are none."""
    detail = f"there is no upscaler {name!r} at this endpoint; use {LANCZOS}"
    wrong = FieldError(pointer=pointer, detail=detail)
    raise ProblemError(describe((wrong,)), code=ErrorCode.ADAPTER_NOT_FOUND, errors=(wrong,))


def ignore(_done: int, _total: int) -> None:
    pass


def run(
    engine: Engine,
    generation: Generation,
    executor: ContextThreadPool,
    inputs: Inputs = NOTHING,
    *,
    on_step: OnStep = ignore,
    fetch: FetchUpscaler = no_upscaler,
    max_output_size: int = 512,
) -> GenerationOutput:
    async def both() -> GenerationOutput:
        passes = MultiPassGenerator(
            engine,
            UpscalerResolver(engine, fetch, executor=executor),
            max_output_sizes={"demo": max_output_size},
        )
        return await passes.upscale(generation, await passes.draw(generation, inputs, on_step))

    return asyncio.run(both())
