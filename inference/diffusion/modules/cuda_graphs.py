"""CUDA graphs: the kernels of a call, recorded once and launched together."""

from collections.abc import Callable, Iterable
from threading import Lock
from typing import Protocol, TypeVar

import torch

_T = TypeVar("_T")

_RECORDING = Lock()
"""PyTorch allows one capture at a time in a process, and models on one endpoint have a thread each."""


_DEFAULT_POOL = (0, 0)
"""The memory in PyTorch's cache that does not belong to CUDA graphs."""


class Recording(Protocol):
    """The recorded kernels of a call, which read and write the same memory at every replay."""

    def replay(self) -> torch.Tensor:
        """Repeats the kernels on what the call's arguments contain now; does not wait for them.

        Returns:
            The call's result, which the next replay of any recording of the same recorder overwrites.
        """
        ...

    def release(self) -> None:
        """Frees the memory; there may be no replay afterwards."""
        ...


class GraphRecorder(Protocol):
    """Records calls. All recordings share the memory of their intermediate results."""

    def record(self, call: Callable[[], torch.Tensor]) -> Recording:
        """Records the kernels of a call that has run before with the same shapes.

        Args:
            call: reads tensors that stay where they are until the recording is released. It is called more
                than once.

        Raises:
            Exception: the call has failed, or does something that cannot be recorded. Nothing is kept.
        """
        ...

    def measure(self, call: Callable[[], _T]) -> tuple[_T, int]:
        """The result of a call, and the device memory in bytes that it needed at most."""
        ...

    def free_bytes(self) -> int:
        """Device memory for calls that are not recorded: without what recordings, also of others, keep."""
        ...


class CudaGraphs:
    """Records on one CUDA device, as PyTorch's documentation on CUDA graphs describes.

    The recordings must be replayed on one stream, so that no two of them run at the same time.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream: torch.cuda.Stream = torch.cuda.Stream(device)
        self._pool = torch.cuda.graph_pool_handle()

    def record(self, call: Callable[[], torch.Tensor]) -> Recording:
        """See `GraphRecorder.record`.

        The first call runs on the stream of the capture, so that cuBLAS has its workspace there outside of
        the memory that the recordings share.
        """
        current, graph = torch.cuda.current_stream(self._device), torch.cuda.CUDAGraph()
        self._stream.wait_stream(current)
        try:
            with _RECORDING, torch.cuda.stream(self._stream):  # restored here if ending the capture fails
                call()
                with torch.cuda.graph(
                    graph,
                    pool=self._pool,
                    stream=self._stream,
                    capture_error_mode="thread_local",  # other threads may allocate meanwhile
                ):
                    output = call()
        finally:
            current.wait_stream(self._stream)
        return _CudaRecording(graph, output, self._device)

    def measure(self, call: Callable[[], _T]) -> tuple[_T, int]:
        """See `GraphRecorder.measure`; what other threads allocate meanwhile is included."""
        torch.cuda.reset_peak_memory_stats(self._device)
        before = torch.cuda.memory_allocated(self._device)
        result = call()
        return result, torch.cuda.max_memory_allocated(self._device) - before

    def free_bytes(self) -> int:
        """See `GraphRecorder.free_bytes`."""
        free, _ = torch.cuda.mem_get_info(self._device)
        cached: Iterable[int] = (
            segment["total_size"] - segment["active_size"]
            for segment in torch.cuda.memory_snapshot(include_traces=False)
            if segment["segment_pool_id"] == _DEFAULT_POOL
        )
        return free + sum(cached)


class _CudaRecording:
    def __init__(self, graph: torch.cuda.CUDAGraph, output: torch.Tensor, device: torch.device) -> None:
        self._graph = graph
        self._output = output
        self._device = device

    def replay(self) -> torch.Tensor:
        self._graph.replay()
        return self._output

    def release(self) -> None:
        torch.cuda.current_stream(self._device).synchronize()  # the last replay may be running
        self._graph.reset()
        del self._output
