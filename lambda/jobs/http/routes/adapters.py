"""The list of adapters."""

from http import HTTPStatus
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from contract.validation import validate
from jobs import wiring
from jobs.adapters import AdapterPosition, AdapterType
from jobs.caller import Caller
from jobs.http.cursor import decode_cursor, encode_cursor
from jobs.http.operation import Answer, Operation
from jobs.http.request import Request
from jobs.http.responses import Response, json_response
from jobs.http.views.adapters import AdapterList, AdapterView

_SEPARATOR = "/"
"""Between the kind and the name in a cursor; names contain none."""


class AdapterListQuery(BaseModel):
    """The query parameters of the list of adapters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Annotated[AdapterType | None, Field(description="Adapters of this kind.")] = None
    limit: Annotated[int, Field(ge=1, le=1000, description="Number of adapters at most.")] = 100
    cursor: Annotated[
        str | None,
        Field(
            max_length=600, description="The `next_cursor` of the previous response, with the same `kind`."
        ),
    ] = None


def _list(request: Request) -> Response:
    """Returns the adapters in the models bucket, by the names that requests use, sorted by kind and name.

    Files that no request can name are left out. A new file appears within 30 s.
    """
    query = validate(AdapterListQuery, request.single_query_values())
    scope = _scope(request.caller, query)
    after = None
    if query.cursor is not None:
        after = _position(decode_cursor(query.cursor, secrets=wiring.signing_keys().read(), scope=scope))
    page = wiring.adapters().list(query.kind, limit=query.limit, after=after)
    cursor = None
    if not page.is_last:
        last = _SEPARATOR.join(page.adapters[-1].position)
        cursor = encode_cursor(last, secrets=wiring.signing_keys().read(), scope=scope)
    views = tuple(map(AdapterView.of, page.adapters))
    return json_response(HTTPStatus.OK, AdapterList(data=views, next_cursor=cursor).model_dump_json())


def _scope(caller: Caller, query: AdapterListQuery) -> tuple[str | None, ...]:
    """The list that a cursor belongs to."""
    return (caller.id, "adapters", query.kind)


def _position(text: str) -> AdapterPosition:
    kind, _, name = text.partition(_SEPARATOR)
    return AdapterPosition(AdapterType(kind), name)


OPERATIONS = (
    Operation(
        id="listAdapters",
        method="GET",
        path="/v1/adapters",
        handle=_list,
        summary="List the adapters",
        query=AdapterListQuery,
        answers=(Answer(status=HTTPStatus.OK, description="A part of the list.", content=AdapterList),),
        problems={
            422: "A query parameter is unknown or invalid: `errors` names it.",
            503: "The models bucket cannot be listed now; try again.",
        },
    ),
)
