import pytest

from operations.doctor.check import Status
from operations.doctor.commands import CommandError, output_of
from operations.doctor.machine import CdkCli, Docker, NodeVersion, PythonVersion
from operations.versions import CDK_CLI
from tests.operations.conftest import Programs

VERSION = 'case "$1" in version) echo 29.1.0;; buildx)'


@pytest.mark.parametrize(
    ("version", "status"), [((3, 11, 0), Status.PASS), ((3, 14, 1), Status.PASS), ((3, 10, 9), Status.FAIL)]
)
def test_python(version: tuple[int, ...], status: Status) -> None:
    finding = PythonVersion(version).run()
    assert finding.status is status
    assert ".".join(map(str, version)) in finding.found


@pytest.mark.parametrize(
    ("script", "status", "words"),
    [
        ("echo v20.20.2", Status.PASS, "v20.20.2"),
        ("echo v120.0.0", Status.PASS, "v120.0.0"),
        ("echo v18.1.0", Status.FAIL, "v18.1.0 is older than 20"),
        ("echo nonsense", Status.FAIL, "nonsense is older than 20"),
        ("echo broken >&2; exit 3", Status.FAIL, "node failed: broken"),
        ("exit 3", Status.FAIL, "node failed: status 3"),
    ],
)
def test_node(programs: Programs, script: str, status: Status, words: str) -> None:
    programs(node=script)
    finding = NodeVersion().run()
    assert (finding.status, finding.found) == (status, words)


def test_missing_node_says_where_to_get_it(programs: Programs) -> None:
    finding = NodeVersion().run()
    assert (finding.status, finding.found) == (Status.FAIL, "node is not installed or not on the PATH")
    assert "https://nodejs.org" in finding.remedy


def test_the_cli_is_asked_for_in_the_pinned_version(programs: Programs) -> None:
    programs(npx=f'[ "$*" = "--yes aws-cdk@{CDK_CLI} --version" ] && echo "{CDK_CLI} (build abc)"')
    finding = CdkCli().run()
    assert (finding.status, CDK_CLI in finding.found) == (Status.PASS, True)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo '1.0.0 (build abc)'", "says that it is 1.0.0 (build abc)"),
        ("echo 'npm error network' >&2; exit 1", "does not run: npx failed: npm error network"),
        ("true", "says that it is"),
    ],
)
def test_another_cli_fails(programs: Programs, script: str, words: str) -> None:
    programs(npx=script)
    finding = CdkCli().run()
    assert (finding.status, words in finding.found) == (Status.FAIL, True)


@pytest.mark.parametrize(
    "platforms", ["linux/amd64", "linux/arm64, linux/amd64*, linux/386", "linux/amd64 (+3), linux/arm64"]
)
def test_docker_that_builds_for_sagemaker_passes(programs: Programs, platforms: str) -> None:
    programs(docker=f'{VERSION} echo "Name: default"; echo "Platforms: {platforms}";; esac')
    finding = Docker().run()
    assert (finding.status, finding.found) == (Status.PASS, "29.1.0, builds for linux/amd64")


@pytest.mark.parametrize(
    ("script", "words", "remedy"),
    [
        ("echo 'Cannot connect to the daemon' >&2; exit 1", "Cannot connect to the daemon", "codebuild"),
        (f'{VERSION} echo "no such plugin" >&2; exit 1;; esac', "no such plugin", "buildx plugin"),
        (
            f'{VERSION} echo "Platforms: linux/arm64, linux/amd64/v2";; esac',
            "does not build for linux/amd64",
            "binfmt",
        ),
        (f"{VERSION} echo Platforms:;; esac", "does not build for linux/amd64", "binfmt"),
    ],
)
def test_docker_that_cannot_build_fails(programs: Programs, script: str, words: str, remedy: str) -> None:
    programs(docker=script)
    finding = Docker().run()
    assert finding.status is Status.FAIL
    assert words in finding.found
    assert remedy in finding.remedy


def test_a_program_that_hangs_is_given_up(programs: Programs) -> None:
    programs(node="while :; do :; done")
    with pytest.raises(CommandError, match=r"node did not answer within 0\.1 s"):
        output_of("node", timeout_s=0.1)
