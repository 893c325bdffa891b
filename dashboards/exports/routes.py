"""The addresses of the files: `/export/executive.html`, `.pdf`, and a csv for each table.

In: the filters of a page as its address has them. Out: a file, or a sentence that says why there
is none: 400 for filters that fit nothing, 404 before the first publish or for an unknown table.
"""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response

from dashboards import filters, formats, periods
from dashboards.exports.csv_file import csv_file
from dashboards.exports.document import Document, document
from dashboards.exports.html_file import html_file
from dashboards.exports.pdf_file import pdf_file
from dashboards.published import PublishedGold
from dashboards.queries import executive
from dashboards.queries.sales import held
from dashboards.targets import targets
from lakehouse.errors import LakeError
from lakehouse.pointer import NothingPublished

PATH = "/export/{file}"


def add_routes(server: FastAPI, gold: PublishedGold) -> None:
    """Serve the files of the gold in service."""

    def export(file: str, request: Request) -> Any:
        try:
            return _answer(file, gold, request.url.query)
        except periods.BadFilter as problem:
            return PlainTextResponse(str(problem), 400)
        except NothingPublished as nothing:
            return PlainTextResponse(str(nothing), 404)
        except LakeError as error:
            return PlainTextResponse(str(error), 503)

    server.add_api_route(PATH, export, methods=["GET"])


def _answer(file: str, gold: PublishedGold, search: str) -> Response:
    with gold.reader() as reader:
        extent = held(reader)
        if extent is None:
            return PlainTextResponse("Gold holds no sales yet.", 404)
        selection = filters.chosen(search, extent)
        overview = executive.remembered(reader, selection, extent)
        as_of = f"{formats.moment(reader.version.published_at)}, run {reader.version.run_id}"
    found = document(overview, targets(gold.settings), as_of=as_of)
    name, _, kind = file.rpartition(".")
    content = _content(found, name, kind)
    if content is None:
        return PlainTextResponse("There is no such file.", 404)
    body, media_type = content
    days = f"{selection.start}-{selection.end}"
    headers = {"content-disposition": f'attachment; filename="{name}-{days}.{kind}"'}
    return Response(body, media_type=media_type, headers=headers)


def _content(found: Document, name: str, kind: str) -> tuple[bytes, str] | None:
    if (name, kind) == ("executive", "html"):
        return html_file(found).encode(), "text/html; charset=utf-8"
    if (name, kind) == ("executive", "pdf"):
        return pdf_file(found), "application/pdf"
    table = found.table(name) if kind == "csv" else None
    return (csv_file(table), "text/csv; charset=utf-8") if table else None
