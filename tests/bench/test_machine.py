"""The description of the machine."""

from bench.machine import describe_cpu

CPU = """processor\t: 0
model name\t: AMD EPYC
flags\t\t: fpu avx avx2 avx512f avx512_bf16

processor\t: 1
model name\t: AMD EPYC
flags\t\t: fpu avx avx2 avx512f avx512_bf16
"""


def test_features_that_decide_the_speed_are_named_and_missing_ones_too() -> None:
    assert describe_cpu(CPU) == "2 cores of AMD EPYC with AVX2, AVX-512, AVX-512 BF16, without AMX"
    old = CPU.replace(" avx512f avx512_bf16", "")
    assert describe_cpu(old) == "2 cores of AMD EPYC with AVX2, without AVX-512, AMX"
