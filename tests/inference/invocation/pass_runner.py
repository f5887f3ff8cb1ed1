"""Running of all passes of a generation, without an invocation handler."""

from contract.generation import Generation
from contract.keys import LANCZOS
from contract.problem import ErrorCode, FieldError, ProblemError, describe
from inference.engine.interface import AdapterFile, Callbacks, Engine, GenerationOutput, Inputs
from inference.invocation.executors import Executors
from inference.invocation.multi_pass import MultiPassGenerator
from inference.invocation.upscalers import FetchUpscaler, UpscalerResolver
from inference.observability.logs import ContextThreadPool
from tests.inference.generations import NO_CALLBACKS
from tests.inference.invocation.coroutines import run_within_limit

NO_INPUTS = Inputs()


def find_no_upscaler(name: str, *, pointer: str) -> AdapterFile:
    """Raises the error for an upscaler that does not exist."""
    error = FieldError(pointer=pointer, detail=f"there is no upscaler {name!r}; use {LANCZOS}")
    raise ProblemError(describe((error,)), code=ErrorCode.ADAPTER_NOT_FOUND, errors=(error,))


async def run_passes(
    passes: MultiPassGenerator, generation: Generation, inputs: Inputs, callbacks: Callbacks
) -> GenerationOutput:
    return await passes.upscale(generation, await passes.generate(generation, inputs, callbacks))


def run(
    engine: Engine,
    generation: Generation,
    executor: ContextThreadPool,
    inputs: Inputs = NO_INPUTS,
    *,
    callbacks: Callbacks = NO_CALLBACKS,
    fetch: FetchUpscaler = find_no_upscaler,
    max_output_size: int = 512,
) -> GenerationOutput:
    passes = MultiPassGenerator(
        engine,
        UpscalerResolver(engine, fetch, executors=Executors(adapters=executor, outputs=executor)),
        max_output_sizes={"demo": max_output_size},
    )
    return run_within_limit(run_passes(passes, generation, inputs, callbacks))
