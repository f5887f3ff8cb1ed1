"""MiniStack, extended by the resource types and the SageMaker operations that it lacks.

python -m local.ministack_server CONTROL_PLANE_URL
"""

import sys

import httpx

from local.ministack_services import (
    add_address,
    add_api_keys,
    apply_bucket_cors,
    speed_up_schedules,
)
from local.resource_types import register
from local.sagemaker_operations import add_sagemaker_operations

_CONTROL_PLANE_TIMEOUT_S = 30
"""Deleting an endpoint waits until its container has ended."""


def main(control_plane_url: str) -> None:
    """Runs MiniStack, configured by environment variables, until it is terminated.

    `control_plane_url` is the address of the SageMaker emulator.
    """
    from ministack import app
    from ministack.services import apigateway_v1, eventbridge, s3
    from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS
    from ministack.services.s3 import _delete_bucket
    from ministack.services.secretsmanager import _secrets

    add_api_keys(vars(apigateway_v1))
    add_address(vars(apigateway_v1))
    speed_up_schedules(vars(eventbridge))
    apply_bucket_cors(vars(app), vars(s3))
    with httpx.Client(base_url=control_plane_url, timeout=_CONTROL_PLANE_TIMEOUT_S) as control_plane:
        register(_RESOURCE_HANDLERS, control_plane, _delete_bucket, _secrets)
        add_sagemaker_operations(
            vars(app), httpx.AsyncClient(base_url=control_plane_url, timeout=_CONTROL_PLANE_TIMEOUT_S)
        )
        sys.argv = ["ministack"]
        app.main()


if __name__ == "__main__":
    main(sys.argv[1])
