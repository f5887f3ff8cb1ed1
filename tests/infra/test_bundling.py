import os
import subprocess
import sys
from pathlib import Path

from infra.bundling import _SourceBundle


def test_the_bundle_can_be_imported_without_this_repository(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    assert _SourceBundle().try_bundle(str(bundle))
    files = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*.py")}
    assert {"jobs/http_handler.py", "contract/request.py", "ulid/__init__.py"} <= files
    assert not any(file.startswith("inference/") for file in files)
    code = (
        "import jobs.http_handler, jobs.completion_handler, ulid, contract.keys as keys; "
        "print(*{m.__file__.split('/bundle/')[1].split('/')[0] for m in (jobs, ulid, keys)})"
    )
    environment = os.environ | {"PYTHONPATH": str(bundle), "POWERTOOLS_SERVICE_NAME": "jobs"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) == {"jobs", "ulid", "contract"}


def test_the_bundle_is_reproducible(tmp_path: Path) -> None:
    contents = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        _SourceBundle().try_bundle(str(tmp_path / name))
        contents.append(
            {
                p.relative_to(tmp_path / name): p.read_bytes()
                for p in (tmp_path / name).rglob("*")
                if p.is_file()
            }
        )
    assert contents[0] == contents[1]
