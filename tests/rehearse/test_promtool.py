"""promtool as a process: what it tells, what it is given, and that nothing of it is left."""

import asyncio
from pathlib import Path

import pytest

from opsconsole.checkkit import until
from opsconsole.errors import MissingServer, Nonsense, TimedOut
from opsconsole.lab.servers import Servers
from opsconsole.rehearse.promtool import AT_ONCE, Promtool, peak_bytes

FILES = {"a_test.yml": "tests: []\n", "b.yml": "groups: []\n"}


def script(tmp_path: Path, text: str) -> Path:
    """A program in promtool's place."""
    program = tmp_path / "promtool"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return program


def gone(path: str) -> bool:
    return not Path(path).exists()


async def test_the_real_one(servers: Servers) -> None:
    promtool = Promtool(servers.promtool)
    assert promtool.version == servers.prometheus_version
    test = "tests: [{promql_expr_test: [{expr: 1 + 1, eval_time: 1m}]}]\n"
    assert "got: {} 2E+00" in await promtool.run({"a_test.yml": test})
    assert "FAILED" not in await promtool.run(FILES)
    assert peak_bytes() > 20e6


def test_which_tests_pass(servers: Servers, tmp_path: Path) -> None:
    promtool = Promtool(servers.promtool)
    for name, value in (("good", 2), ("bad", 3), ("fine", 2)):
        expected = f"exp_samples: [{{labels: '{{}}', value: {value}}}]"
        test = f"tests: [{{promql_expr_test: [{{expr: 1 + 1, eval_time: 1m, {expected}}}]}}]\n"
        (tmp_path / name).write_text(test)
    assert promtool.passing([tmp_path / name for name in ("good", "bad", "fine")]) == [True, False, True]
    assert promtool.passing([tmp_path / "missing", tmp_path / "fine"]) == [False, False]
    assert promtool.passing([]) == []


async def test_it_gets_the_files_in_a_folder_of_its_own_and_nothing_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_KEY", "sk_test_1")
    monkeypatch.setenv("https_proxy", "http://user:secret@proxy")
    said = await Promtool(script(tmp_path, 'echo "$@"; pwd; ls; env')).run(FILES)
    lines = said.splitlines()
    assert lines[0] == "test rules a_test.yml"
    assert {"a_test.yml", "b.yml", f"TMPDIR={lines[1]}"} <= set(lines)
    assert "sk_test_1" not in said
    assert "proxy" not in said
    assert gone(lines[1])


@pytest.mark.parametrize(
    ("ends", "told"),
    [("kill -9 $$", "ended with -9: without a word"), ("echo panic: no; exit 2", "ended with 2: panic: no")],
    ids=["killed", "panic"],
)
async def test_an_end_that_is_no_answer(tmp_path: Path, ends: str, told: str) -> None:
    with pytest.raises(Nonsense, match=told) as raised:
        await Promtool(script(tmp_path, ends)).run(FILES)
    assert "another version of promtool" in raised.value.hint


async def test_one_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    promtool = Promtool(script(tmp_path, "exec sleep 600"), timeout_seconds=0.05)
    with pytest.raises(TimedOut, match="no answer within"):
        await promtool.run(FILES)
    with pytest.raises(TimedOut):
        promtool.passing([tmp_path])


async def test_cancelled_it_ends_its_process(tmp_path: Path) -> None:
    started = tmp_path / "started"
    run = asyncio.create_task(
        Promtool(
            script(tmp_path, f"echo $$ > {started}.new; mv {started}.new {started}; exec sleep 600")
        ).run(FILES)
    )

    async def there() -> bool:
        return started.exists()

    await until(there, within_seconds=20, what="the program's start")
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert gone(f"/proc/{started.read_text().strip()}")


async def test_no_more_at_once_than_processors(tmp_path: Path) -> None:
    """Each takes a seat in a folder while it runs, and tells how many were taken."""
    (tmp_path / "seats").mkdir()
    seats = tmp_path / "seats"
    promtool = Promtool(script(tmp_path, f"touch {seats}/$$; ls {seats} | wc -l; rm {seats}/$$"))
    said = await asyncio.gather(*(promtool.run(FILES) for _ in range(5 * AT_ONCE)))
    assert max(int(each) for each in said) <= AT_ONCE


async def test_one_that_cannot_be_run(tmp_path: Path) -> None:
    missing = Promtool(tmp_path / "none")
    with pytest.raises(MissingServer, match="promtool cannot be run"):
        await missing.run(FILES)
    with pytest.raises(MissingServer) as raised:
        _ = missing.version
    assert "install" in raised.value.hint
    with pytest.raises(MissingServer, match="does not tell its version"):
        _ = Promtool(script(tmp_path, "echo hello")).version


def test_each_event_loop_has_its_own_places(tmp_path: Path) -> None:
    promtool = Promtool(script(tmp_path, "exit 0"))

    async def many() -> None:
        await asyncio.gather(*(promtool.run(FILES) for _ in range(2 * AT_ONCE)))

    for _ in range(2):
        asyncio.run(many())
