"""Operations on the catalog: models and samplers."""

from http import HTTPStatus

from jobs import wiring
from jobs.http.operation import Answer, Operation
from jobs.http.request import Request
from jobs.http.responses import Response, json_response
from jobs.http.views.catalog import ModelList, SamplerList


def _list_models(_request: Request) -> Response:
    """Returns the accepted values of `model`, with each model's defaults and limits."""
    return json_response(HTTPStatus.OK, ModelList.of(wiring.job_service().catalog).model_dump_json())


def _list_samplers(_request: Request) -> Response:
    """Returns the accepted values of `sampler`."""
    return json_response(HTTPStatus.OK, SamplerList.all().model_dump_json())


OPERATIONS = (
    Operation(
        id="listModels",
        method="GET",
        path="/v1/models",
        handle=_list_models,
        summary="List the models",
        answers=(Answer(status=HTTPStatus.OK, description="Every deployed model.", content=ModelList),),
    ),
    Operation(
        id="listSamplers",
        method="GET",
        path="/v1/samplers",
        handle=_list_samplers,
        summary="List the samplers",
        answers=(Answer(status=HTTPStatus.OK, description="Every sampler.", content=SamplerList),),
    ),
)
