import pytest

from operations.doctor.check import Status
from operations.doctor.machine import CdkCli, Docker, NodeVersion, PythonVersion
from operations.versions import CDK_CLI
from tests.operations.doctor.conftest import Programs

VERSION = 'case "$1" in version) echo 29.1.0;; buildx)'


@pytest.mark.parametrize(
    ("version", "status"), [((3, 11, 0), Status.PASS), ((3, 14, 1), Status.PASS), ((3, 10, 9), Status.FAIL)]
)
def test_the_python_version(version: tuple[int, ...], status: Status) -> None:
    result = PythonVersion(version).run()
    assert result.status is status
    assert ".".join(map(str, version)) in result.message


@pytest.mark.parametrize(
    ("script", "status", "message"),
    [
        ("echo v20.20.2", Status.PASS, "v20.20.2"),
        ("echo v120.0.0", Status.PASS, "v120.0.0"),
        ("echo v18.1.0", Status.FAIL, "v18.1.0 is older than 20"),
        ("echo nonsense", Status.FAIL, "nonsense is older than 20"),
        ("echo broken >&2; exit 3", Status.FAIL, "node failed: broken"),
        ("exit 3", Status.FAIL, "node failed: status 3"),
    ],
)
def test_the_node_version(programs: Programs, script: str, status: Status, message: str) -> None:
    programs(node=script)
    result = NodeVersion().run()
    assert (result.status, result.message) == (status, message)


def test_missing_node_fails_with_a_link_for_its_installation(programs: Programs) -> None:
    result = NodeVersion().run()
    assert (result.status, result.message) == (Status.FAIL, "node is not installed or not on the PATH")
    assert "https://nodejs.org" in result.remedy


def test_the_pinned_version_of_the_cdk_cli_is_run(programs: Programs) -> None:
    programs(npx=f'[ "$*" = "--yes aws-cdk@{CDK_CLI} --version" ] && echo "{CDK_CLI} (build abc)"')
    result = CdkCli().run()
    assert (result.status, CDK_CLI in result.message) == (Status.PASS, True)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo '1.0.0 (build abc)'", "reports version 1.0.0 (build abc)"),
        ("echo 'npm error network' >&2; exit 1", "does not run: npx failed: npm error network"),
        ("true", "reports version"),
    ],
)
def test_another_version_of_the_cdk_cli_fails(programs: Programs, script: str, message: str) -> None:
    programs(npx=script)
    result = CdkCli().run()
    assert (result.status, message in result.message) == (Status.FAIL, True)


@pytest.mark.parametrize(
    "platforms", ["linux/amd64", "linux/arm64, linux/amd64*, linux/386", "linux/amd64 (+3), linux/arm64"]
)
def test_docker_that_can_build_for_sagemaker_passes(programs: Programs, platforms: str) -> None:
    programs(docker=f'{VERSION} echo "Name: default"; echo "Platforms: {platforms}";; esac')
    result = Docker().run()
    assert (result.status, result.message) == (Status.PASS, "29.1.0, builds for linux/amd64")


@pytest.mark.parametrize(
    ("script", "message", "remedy"),
    [
        ("echo 'Cannot connect to the daemon' >&2; exit 1", "Cannot connect to the daemon", "codebuild"),
        (f'{VERSION} echo "no such plugin" >&2; exit 1;; esac', "no such plugin", "buildx plugin"),
        (
            f'{VERSION} echo "Platforms: linux/arm64, linux/amd64/v2";; esac',
            "cannot build for linux/amd64",
            "binfmt",
        ),
        (f"{VERSION} echo Platforms:;; esac", "cannot build for linux/amd64", "binfmt"),
    ],
)
def test_docker_that_cannot_build_fails(programs: Programs, script: str, message: str, remedy: str) -> None:
    programs(docker=script)
    result = Docker().run()
    assert result.status is Status.FAIL
    assert message in result.message
    assert remedy in result.remedy
