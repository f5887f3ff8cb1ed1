"""`python -m bench.soak.container`: the inference container, which one kind of request kills."""

import os

from contract.result import GenerationResult
from inference.__main__ import main
from inference.invocation.handler import InvocationHandler

FATAL_PROMPT = "a request that ends the process"


async def _handle(handler: InvocationHandler, body: bytes) -> GenerationResult:
    if FATAL_PROMPT.encode() in body:
        os._exit(1)
    return await _original(handler, body)


_original = InvocationHandler.handle

if __name__ == "__main__":
    InvocationHandler.handle = _handle  # type: ignore[assignment, method-assign]
    main()
