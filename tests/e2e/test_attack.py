"""Hostile images, files, hosts and bodies, and kills, against the whole system: a part of `make attack`."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from bench.attack.bodies import BODIES, attack_with_body
from bench.attack.files import FILES, attack_with_file
from bench.attack.hosts import HOSTS, SlowHosts, slow_hosts
from bench.attack.images import IMAGES
from bench.attack.jobs import Cost, attack, attack_with_image, request_with_image
from bench.attack.kills import decoding_processes, fork_servers, kill, killing, started
from local.stack import LocalStack

MEMORY_LIMIT = 1 << 30


@pytest.fixture(scope="module")
def hosts(stack: LocalStack) -> Iterator[SlowHosts]:
    with slow_hosts(stack, time_limit_s=2) as hosts:
        yield hosts


def check(cost: Cost) -> None:
    """Checks the memory, and that no files and processes are left."""
    assert cost.memory_bytes < MEMORY_LIMIT
    assert cost.watch.after.disk_bytes <= cost.watch.idle.disk_bytes
    assert cost.watch.after.processes <= cost.watch.idle.processes


@pytest.mark.parametrize("name", ["16-bit PNG, 7071 x 7071", "WebP, 16383 x 3000"])
def test_hostile_images_stay_within_the_memory_limit_and_a_good_job_succeeds(
    stack: LocalStack, name: str
) -> None:
    cost = attack_with_image(stack, IMAGES[name](), jobs=3)
    check(cost)
    assert set(cost.outcomes) <= {"succeeded", "invalid_input_image", "input_image_too_large"}


@pytest.mark.parametrize(
    "name", ["embedding with a stride of 0", "1.3 million names of classes", "upscaler without data"]
)
def test_jobs_that_name_a_hostile_file_fail_and_a_good_job_succeeds(stack: LocalStack, name: str) -> None:
    _, cost = attack_with_file(stack, FILES[name], jobs=3)
    check(cost)
    assert set(cost.outcomes) == {"adapter_unusable"}


@pytest.mark.parametrize(
    "select", [decoding_processes, fork_servers], ids=["decoding process", "fork server"]
)
def test_jobs_whose_decoding_is_killed_fail_and_a_good_job_succeeds(stack: LocalStack, select: Any) -> None:
    hostile = [request_with_image(stack, IMAGES["16-bit PNG, 7071 x 7071"]())] * 2
    cost = attack(stack, hostile, meanwhile=partial(killing, select))
    check(cost)
    assert set(cost.outcomes) <= {"input_image_too_large", "internal"}


@pytest.mark.parametrize("name", HOSTS)
def test_slow_hosts_hold_up_no_other_job(hosts: SlowHosts, name: str) -> None:
    cost = hosts.attack(*HOSTS[name], jobs=3)
    check(cost)
    assert len(set(cost.outcomes) & {"input_fetch_failed", "canceled", "caller has left"}) == 1


def test_a_killed_container_leaves_no_processes_and_the_next_one_deletes_its_files(hosts: SlowHosts) -> None:
    leftover = hosts.container.directory / f"inputs-{hosts.container.process.pid}-killed"
    leftover.mkdir()
    assert kill(hosts.container) == 0
    with started(hosts.container, *hosts.command):
        assert not leftover.exists()
        assert hosts.time_of_good_job() > 0


@pytest.mark.parametrize("name", BODIES)
def test_hostile_bodies_get_a_short_answer(stack: LocalStack, name: str) -> None:
    status, answer_bytes, _ = attack_with_body(stack, BODIES[name]())
    assert 400 <= status < 500
    assert answer_bytes < 64 << 10
