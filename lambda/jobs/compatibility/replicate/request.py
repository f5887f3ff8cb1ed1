"""Requests for predictions, and the submissions that they are translated to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contract.document import parse_document
from contract.generation import InvalidRequestError
from contract.model import ModelDeclaration
from contract.problem import FieldError
from contract.submission import FINAL_EVENTS, JobSubmission, WebhookUrl
from contract.validation import validate
from jobs.catalog import ModelCatalog
from jobs.compatibility.field_names import fields_named
from jobs.compatibility.replicate.events import PredictionEvent, job_events
from jobs.compatibility.replicate.input import PredictionInput, normalized
from jobs.compatibility.replicate.models import find_model, find_version

INPUT = "#/input"
_ALL_EVENTS = tuple(PredictionEvent)
_MAX_REFERENCE_CHARACTERS = 200


def _check_has_job_event(events: tuple[PredictionEvent, ...]) -> tuple[PredictionEvent, ...]:
    if not job_events(events):
        raise ValueError("must contain start, output or completed: there are no calls for logs alone")
    return events


_Reference = Annotated[str, Field(min_length=1, max_length=_MAX_REFERENCE_CHARACTERS)]
_Events = Annotated[
    tuple[Annotated[PredictionEvent, Field(strict=False)], ...],
    Field(
        max_length=16,
        strict=False,
        description="Events that the webhook is called for; by default all.",
        json_schema_extra={"minItems": 1},
    ),
    AfterValidator(_check_has_job_event),
]


class ModelPredictionOptions(BaseModel):
    """The fields of a request beside `input`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    webhook: WebhookUrl | None = None
    webhook_events_filter: _Events | None = None
    webhook_completed: Annotated[
        WebhookUrl | None, Field(description="A `webhook` for the event `completed` only.")
    ] = None
    stream: Annotated[
        bool | None, Field(description="Without effect: images are not streamed, and `urls` has no `stream`.")
    ] = None


class PredictionOptions(ModelPredictionOptions):
    """The fields of a request beside `input`, which names its model."""

    version: Annotated[
        _Reference | None,
        Field(description="Version or name of a model; `owner/name` or `owner/name:version`."),
    ] = None
    model: Annotated[_Reference | None, Field(description="`owner/name`, in place of `version`.")] = None


class ModelPredictionRequest(ModelPredictionOptions):
    """A request for a prediction of the model in the path."""

    input: PredictionInput


class PredictionRequest(PredictionOptions):
    """A request for a prediction of the model that `version` or `model` names."""

    input: PredictionInput


_Options = TypeVar("_Options", bound=ModelPredictionOptions)


@dataclass(frozen=True)
class RequestedPrediction:
    """A valid request.

    Attributes:
        submission: the job to submit.
        names: the names of its fields that the client used, for `fields_named` within `INPUT`.
    """

    submission: JobSubmission
    names: dict[str, str]


def parse_prediction(
    body: str, catalog: ModelCatalog, uri_of: Callable[[str], str | None]
) -> RequestedPrediction:
    """Parses a request that names its model.

    Args:
        body: the JSON of a `PredictionRequest`.
        catalog: the models.
        uri_of: the `s3://` URI of the object that a link leads to.

    Raises:
        MalformedRequestError: the body is not a JSON object within the limits of `parse_document`.
        InvalidRequestError: fields are invalid; the error names them.
        ModelNotFoundError: there is no such model.
    """
    options, given = _parse(PredictionOptions, body)
    return _requested(options, given, _model_of(options, catalog), uri_of)


def parse_model_prediction(
    body: str, model: ModelDeclaration, uri_of: Callable[[str], str | None]
) -> RequestedPrediction:
    """Parses a request for a model that the path names; see `parse_prediction`."""
    options, given = _parse(ModelPredictionOptions, body)
    return _requested(options, given, model, uri_of)


def _parse(kind: type[_Options], body: str) -> tuple[_Options, dict[str, Any]]:
    document = parse_document(body)
    given = document.pop("input", None)
    options = validate(kind, document)
    if not isinstance(given, dict):
        raise _invalid("input", 'must be an object such as {"prompt": "a red circle"}')
    return options, given


def _model_of(options: PredictionOptions, catalog: ModelCatalog) -> ModelDeclaration:
    if options.version is not None and options.model is not None:
        raise _invalid("model", "cannot be combined with version; remove one of them")
    if options.version is not None:
        return find_version(catalog, options.version)
    if options.model is not None:
        return find_model(catalog, options.model)
    raise _invalid("version", "is required: the name of a model, or its version")


def _requested(
    options: ModelPredictionOptions,
    given: dict[str, Any],
    model: ModelDeclaration,
    uri_of: Callable[[str], str | None],
) -> RequestedPrediction:
    webhook = _webhook_fields(options)
    with fields_named({}, within=INPUT):
        prediction = validate(PredictionInput, normalized(given, uri_of))
        fields = prediction.own_fields()
    names = prediction.names()
    with fields_named(names, within=INPUT):
        submission = validate(JobSubmission, {**fields, **webhook, "model": model.name})
    return RequestedPrediction(submission, names)


def _webhook_fields(options: ModelPredictionOptions) -> dict[str, Any]:
    if options.webhook is None and options.webhook_completed is None:
        if options.webhook_events_filter is not None:
            raise _invalid("webhook_events_filter", "requires webhook")
        return {}
    if options.webhook_completed is None:
        events = job_events(options.webhook_events_filter or _ALL_EVENTS)
        return {"webhook_url": options.webhook, "webhook_events": events}
    if options.webhook is not None:
        raise _invalid("webhook_completed", "cannot be combined with webhook; remove one of them")
    return {"webhook_url": options.webhook_completed, "webhook_events": FINAL_EVENTS}


def _invalid(name: str, detail: str) -> InvalidRequestError:
    return InvalidRequestError((FieldError(pointer=f"#/{name}", detail=detail),))
