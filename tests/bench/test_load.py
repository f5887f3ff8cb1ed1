"""Throughput and percentiles."""

from bench.load import Measurement


def test_percentiles_are_measured_latencies() -> None:
    measurement = Measurement(4, 2.0, (0.4, 0.1, 0.3, 0.2))
    assert measurement.images_per_second == 2
    assert (measurement.percentile(0.5), measurement.percentile(0.95)) == (0.3, 0.4)
