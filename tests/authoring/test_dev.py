"""``dev`` and ``bench``: each save is built and tried, and a function is measured."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from mcp_server.authoring.beginning import begin_plugin
from mcp_server.authoring.developing import Round, develop
from tests.commands import answer, run
from tests.guests import ECHO, answers, module, write_plugin
from tests.requirements import requirement
from tests.toolchains import environment_for

CASE = '[[case]]\nname = "answers"\ntool = "run"\nexpect = 1\n'


def hear_interrupts() -> None:
    """In a process to be: a shell makes what it runs in the background deaf to them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Rounds:
    """What ``dev`` said so far, to be waited for."""

    def __init__(self) -> None:
        self._send, self._receive = anyio.create_memory_object_stream[Round](100)

    def tell(self, done: Round) -> None:
        self._send.send_nowait(done)

    async def next(self) -> Round:
        return await self._receive.receive()

    async def until_passed(self, passed: bool) -> Round:
        """A round whose only case came out so; a save may be seen in two steps."""
        while True:
            done = await self.next()
            if done.outcomes and done.outcomes[0].passed is passed:
                return done

    def close(self) -> None:
        self._send.close()
        self._receive.close()


@requirement("author:dev")
async def test_each_save_of_a_module_is_tried_again(cache: Path, tmp_path: Path) -> None:
    home = write_plugin(tmp_path, "numbers", answers("1"))
    (home / "tests").mkdir()
    (home / "tests" / "all.toml").write_text(CASE, encoding="utf-8")
    rounds = Rounds()
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: develop(home, rounds.tell, cache=cache / "cache"))
        first = await rounds.next()
        assert (first.built, first.problem, first.outcomes[0].value) == (None, None, 1)
        (home / "numbers.wasm").write_bytes(answers("2"))
        assert (await rounds.until_passed(False)).outcomes[0].value == 2
        (home / "tests" / "all.toml").write_text(CASE.replace("= 1", "= 2"), encoding="utf-8")
        assert (await rounds.until_passed(True)).problem is None
        group.cancel_scope.cancel()
    rounds.close()


@requirement("author:dev")
@pytest.mark.timeout(300)
async def test_each_save_of_a_source_is_built_and_a_mistake_ends_nothing(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment_for("c")
    monkeypatch.setenv("AGENTMEM_HOME", str(cache))
    home = begin_plugin("try-it", "c", "Custom", tmp_path / "try-it")
    source = home / "plugin.c"
    right = source.read_text(encoding="utf-8")
    rounds = Rounds()
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: develop(home, rounds.tell, cache=cache / "cache"))
        first = await rounds.until_passed(True)
        assert first.built is not None
        assert first.report is not None
        assert (first.report.errors, first.built.language) == (0, "c")
        assert [call.function for call in first.outcomes[0].host_calls] == ["log"]
        assert first.outcomes[0].milliseconds > 0
        source.write_text(right + "int broken(", encoding="utf-8")
        broken = await rounds.next()
        assert (broken.problem and broken.problem.error_code, broken.outcomes) == ("build_failed", ())
        assert "words++" in right
        source.write_text(right.replace("words++", "words--"), encoding="utf-8")
        wrong = await rounds.until_passed(False)
        assert wrong.outcomes[0].located.case.name == "counts the words of a text"
        source.write_text(right, encoding="utf-8")
        await rounds.until_passed(True)
        group.cancel_scope.cancel()
    rounds.close()


@requirement("author:dev")
@pytest.mark.parametrize("words", [(), ("--json",), ("--quiet",)])
def test_the_command_tells_each_round_until_it_is_interrupted(
    cache: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    home = write_plugin(tmp_path, "numbers", answers("2"), '[[tools]]\nfunction = "run"\n')
    (home / "tests").mkdir()
    (home / "tests" / "all.toml").write_text(CASE, encoding="utf-8")
    command = [sys.executable, "-m", "mcp_server", "dev", str(home), *words]
    variables = {"AGENTMEM_HOME": str(cache), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, text=True, preexec_fn=hear_interrupts
    ) as process:
        try:
            assert process.stdout is not None
            told = ""
            while "expected 1" not in told:
                told += process.stdout.readline()
            process.send_signal(signal.SIGINT)
            process.stdout.read()
            process.wait(30)
        finally:  # of a process that does not hear, too
            process.kill()
    assert process.returncode == 130
    assert "description_missing" in told
    assert told.count("Fuel is not shown") == (0 if words else 1)


@requirement("author:bench")
def test_a_function_is_measured_in_fresh_and_in_kept_instances(cache: Path, tmp_path: Path) -> None:
    home = write_plugin(tmp_path, "echo", module(ECHO), '[[tools]]\nfunction = "echo"\nname = "say"\n')
    for name in ("echo", "say"):
        measured = answer(cache, "bench", home, name, "--input", '{"a": 1}', "--seconds", "0.2", "--at-once", "2")
        assert [figures["isolation"] for figures in measured["isolation"]] == ["call", "shared"]
        assert measured["input_bytes"] == 8
        for figures in measured["isolation"]:
            assert figures["calls"] > 0
            assert 0 < figures["p50_ms"] <= figures["p99_ms"]
            assert min(figures["per_second"], figures["memory_bytes"]) > 0


@requirement("author:bench")
def test_what_cannot_be_measured_is_said(cache: Path, tmp_path: Path) -> None:
    home = write_plugin(tmp_path, "traps", module('(func (export "run") (result i32) unreachable)'))
    codes = [
        run(cache, "bench", *words, "--seconds", "0.1").returncode
        for words in ((home, "run"), (home, "gone"), (tmp_path, "run"), (home, "run", "more"))
    ]
    assert codes == [5, 6, 2, 2]
