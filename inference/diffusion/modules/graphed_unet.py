"""The UNet as CUDA graphs: one launch a forward pass, with the kernels and the bits of the UNet itself."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import torch

from inference.diffusion.modules.cuda_graphs import GraphRecorder, Recording

_LOGGER = logging.getLogger(__name__)

_EAGER_USES = 2
"""Calls before a graph is recorded, which takes about as long as two of them: rare shapes do not repay it."""

_MAX_GRAPHS = 32
_MAX_CANDIDATES = 1024
_RESERVED_BYTES = 3 << 30
"""Device memory that graphs leave free, for text encoders, ControlNets and the VAE."""

_T = TypeVar("_T")


@dataclass
class _Candidate:
    """The record of calls that have no graph.

    Attributes:
        code: that ran them.
        uses: calls so far, until a graph is recorded.
        needed_bytes: device memory that a call needs for intermediate results.
        eager: whether no graph is to be recorded.
    """

    code: Hashable
    uses: int = 0
    needed_bytes: int = 0
    eager: bool = False


@dataclass(frozen=True, eq=False)
class _Graph:
    """A recorded call.

    Attributes:
        code: that was recorded.
        inputs: the tensors that it reads, in the order of `_flatten`.
        recording: of the call.
    """

    code: Hashable
    inputs: Sequence[torch.Tensor]
    recording: Recording

    def run(self, tensors: Sequence[torch.Tensor]) -> tuple[torch.Tensor]:
        """The result for these inputs, as a copy: the next replay overwrites the original."""
        for mine, given in zip(self.inputs, tensors, strict=True):
            mine.copy_(given, non_blocking=True)
        return (self.recording.replay().clone(),)


class GraphedUNet:
    """A UNet whose calls are recorded as CUDA graphs, one for each shape of arguments and set of adapters.

    A graph reads the weights from the addresses that they had when it was recorded, with the constants of
    then. It is therefore replayed only while `state` and `code` are what they were; otherwise the UNet itself
    runs, until another graph is recorded. If a call cannot be recorded, its shape runs without a graph from
    then on. The least recently used graphs are released beyond a number, and none is recorded that leaves
    too little memory for a call without it. Only one thread may use the object.
    """

    def __init__(
        self,
        unet: Callable[..., tuple[torch.Tensor]],
        recorder: GraphRecorder,
        *,
        state: Callable[[], Hashable] = tuple,
        code: Callable[..., Hashable] = lambda *_arguments, **_options: None,
        max_graphs: int = _MAX_GRAPHS,
    ) -> None:
        """Starts without graphs.

        Args:
            unet: called with `return_dict=False`.
            recorder: records the graphs.
            state: decides, with the arguments' shapes, which kernels run with which constants over which
                weights' addresses: the active adapters.
            code: identifies the code that `unet` would run for these arguments, if that can change.
            max_graphs: kept at most.
        """
        self._unet = unet
        self._recorder = recorder
        self._state = state
        self._code = code
        self._max_graphs = max_graphs
        self._graphs: OrderedDict[Hashable, _Graph] = OrderedDict()
        self._candidates: OrderedDict[Hashable, _Candidate] = OrderedDict()
        self._shared_bytes = 0
        self._max_needed_bytes: int | None = None

    def __call__(self, *arguments: Any, **options: Any) -> tuple[torch.Tensor]:
        """The UNet's output; see `diffusers.UNet2DConditionModel.forward`."""
        tensors: list[torch.Tensor] = []
        key = (_flatten((arguments, options), tensors), self._state())
        code = self._code(*arguments, **options)
        graph = self._graphs.get(key)
        if graph is not None and graph.code != code:
            self._graphs.pop(key).recording.release()
            graph = None
        if graph is None:
            return self._run_without_graph(key, code, arguments, options, tensors)
        self._graphs.move_to_end(key)
        return graph.run(tensors)

    def clear(self) -> None:
        """Releases all graphs; they are recorded again when they are needed."""
        while self._graphs:
            self._graphs.popitem()[1].recording.release()
        self._shared_bytes = 0

    def release_memory(self) -> bool:
        """Releases all graphs because memory is short; later ones must need less than half as much.

        The memory is in PyTorch's cache then.

        Returns:
            Whether there were any.
        """
        if not self._graphs:
            return False
        _LOGGER.warning("memory is short: the CUDA graphs of the UNet are released")
        self._max_needed_bytes = self._shared_bytes // 2
        self.clear()
        return True

    def _run_without_graph(
        self, key: Hashable, code: Hashable, arguments: Any, options: Any, tensors: Sequence[torch.Tensor]
    ) -> tuple[torch.Tensor]:
        call = partial(self._unet, *arguments, **options)
        candidate = self._candidate(key, code)
        if candidate.uses < _EAGER_USES:
            result, candidate.needed_bytes = self._recorder.measure(call)
            candidate.uses += 1
            return result
        if candidate.eager or not self._leaves_enough_memory(candidate, tensors):
            candidate.eager = True
            return call()
        graph = self._record(code, arguments, options, tensors)
        if graph is None:
            candidate.eager = True
            return call()
        if self._code(*arguments, **options) != code:  # it changed meanwhile: either may have been recorded
            graph.recording.release()
            return call()
        self._shared_bytes = max(self._shared_bytes, candidate.needed_bytes)
        self._graphs[key] = graph
        while len(self._graphs) > self._max_graphs:
            self._graphs.popitem(last=False)[1].recording.release()
        return graph.run(tensors)

    def _candidate(self, key: Hashable, code: Hashable) -> _Candidate:
        candidate = self._candidates.get(key)
        if candidate is None or candidate.code != code:
            candidate = self._candidates[key] = _Candidate(code)
        self._candidates.move_to_end(key)
        while len(self._candidates) > _MAX_CANDIDATES:
            self._candidates.popitem(last=False)
        return candidate

    def _leaves_enough_memory(self, candidate: _Candidate, tensors: Sequence[torch.Tensor]) -> bool:
        """Whether a call without a graph still fits in memory beside this graph and the others."""
        needed = candidate.needed_bytes
        if self._max_needed_bytes is not None and needed >= self._max_needed_bytes:
            return False
        inputs = sum(each.numel() * each.element_size() for each in tensors)
        added = max(needed - self._shared_bytes, 0) + inputs
        return self._recorder.free_bytes() - added >= max(needed, _RESERVED_BYTES)

    def _record(
        self, code: Hashable, arguments: Any, options: Any, tensors: Sequence[torch.Tensor]
    ) -> _Graph | None:
        shape = tuple(tensors[0].shape)
        try:
            inputs = [_like(each) for each in tensors]
            own_arguments, own_options = _with_tensors((arguments, options), iter(inputs))
            recording = self._recorder.record(lambda: self._unet(*own_arguments, **own_options)[0])
        except Exception:
            _LOGGER.exception("the UNet could not be recorded as a CUDA graph for %s; it stays eager", shape)
            return None
        _LOGGER.info("the UNet has been recorded as a CUDA graph for %s", shape)
        return _Graph(code, inputs, recording)


def _flatten(value: Any, tensors: list[torch.Tensor]) -> Hashable:
    """Appends the tensors in a value to a list; returns everything about it but their contents."""
    if isinstance(value, torch.Tensor):
        tensors.append(value)
        return (value.dtype, value.device, tuple(value.shape), value.stride())
    if isinstance(value, dict):
        return (dict, tuple((name, _flatten(each, tensors)) for name, each in value.items()))
    if isinstance(value, list | tuple):
        return (type(value), tuple(_flatten(each, tensors) for each in value))
    return (type(value), value)


def _with_tensors(value: _T, tensors: Iterator[torch.Tensor]) -> _T:
    """The value with other tensors, in the order of `_flatten`."""
    replaced: Any = value
    if isinstance(value, torch.Tensor):
        replaced = next(tensors)
    elif isinstance(value, dict):
        replaced = {name: _with_tensors(each, tensors) for name, each in value.items()}
    elif isinstance(value, list | tuple):
        replaced = type(value)(_with_tensors(each, tensors) for each in value)
    return replaced  # type: ignore[no-any-return]


def _like(tensor: torch.Tensor) -> torch.Tensor:
    """A copy with the same strides, on which the last bits of results depend."""
    copied = torch.empty_strided(
        tuple(tensor.shape), tensor.stride(), dtype=tensor.dtype, device=tensor.device
    )
    return copied.copy_(tensor)
