"""No failure and no reply shows a key, in whatever form it comes."""

from __future__ import annotations

import base64
import json
import traceback
from pathlib import Path
from urllib.parse import quote

import pytest

from arena.models.cache import ReplyCache
from arena.models.circuit import CallFailed
from arena.models.redact import Redactor
from arena.models.session import Session
from arena.models.types import ErrorKind, Request, Response
from arena.testing.fake_clock import FakeClock
from tests.models.scripted import Provider, failure, model, play, request, scripted, session

CANARY = "canary/Key+0123456789=xyz"
FORMS = (
    CANARY,
    quote(CANARY, safe=""),
    base64.b64encode(CANARY.encode()).decode(),
    base64.b64encode(f"me:{CANARY}".encode()).decode(),
    json.dumps(CANARY)[1:-1],
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["auth", "not_found", "rate_limit", "server", "timeout", "connection", "protocol"])
def test_no_failure_shows_a_key(form: str, kind: ErrorKind, tmp_path: Path) -> None:
    redactor = Redactor({"MY_API_KEY": CANARY})
    said: list[str] = []

    async def answer(request: Request, n: int) -> Response:
        try:
            raise OSError(f"GET http://h/v1?key={form} failed")
        except OSError as error:
            raise failure(kind, f"refused {form}", hint=f"not {form}", request_id=form) from error

    clock = FakeClock()

    async def main() -> str:
        access = session(Provider(answer), clock, redactor=redactor, note=lambda *what: said.append(repr(what)))
        with pytest.raises(CallFailed) as caught:
            await access.complete(model(), request())
        error = caught.value
        shown = [repr(error), str(vars(error)), *traceback.format_exception(error), str(access.state()), *said]
        return "\n".join(line for line in shown if "form}" not in line)

    shown = clock.run(main())

    assert "[redacted:MY_API_KEY]" in shown
    assert form not in shown


@pytest.mark.parametrize("form", FORMS)
def test_a_model_that_repeats_a_key_is_redacted_before_anything_is_stored(form: str, tmp_path: Path) -> None:
    redactor = Redactor({"MY_API_KEY": CANARY})
    leak = Response(f"it is {form}", reasoning=form, parsed={"say": form}, model=form, request_id=form)
    cache = ReplyCache(tmp_path / "c.sqlite")
    (call,) = play(scripted(leak), request(), redactor=redactor, cache=cache)

    assert form not in repr(call)
    assert all(form.encode() not in file.read_bytes() for file in tmp_path.iterdir())


def test_text_of_the_runner_is_redacted() -> None:
    access = Session(cache=None, redactor=Redactor({"MY_API_KEY": CANARY}))

    assert access.redact(f"boom {CANARY}") == "boom [redacted:MY_API_KEY]"
