"""When hooks are asked: the breaker, and the queue of the after-hooks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import anyio
import pytest
from anyio.abc import TaskGroup

from mcp_server.memory.breaker import FAILURES, PAUSE_SECONDS, Breaker
from mcp_server.memory.deferred import Deferred

Job = Callable[[], Awaitable[None]]


def opened() -> Breaker:
    breaker = Breaker()
    for number in range(1, FAILURES + 1):
        assert breaker.admits(0.0)
        assert breaker.failed(0.0) is (number == FAILURES)
    return breaker


def test_failures_in_a_row_open_it_and_a_success_between_them_does_not() -> None:
    breaker = Breaker()
    for _ in range(3 * FAILURES):
        breaker.failed(0.0)
        breaker.succeeded()
    assert not breaker.is_open
    assert opened().is_open


def test_after_its_pause_one_call_tries_and_decides() -> None:
    breaker = opened()
    assert not breaker.admits(PAUSE_SECONDS - 1)
    assert breaker.admits(PAUSE_SECONDS)
    assert not breaker.admits(PAUSE_SECONDS)  # one is on its way
    assert breaker.failed(PAUSE_SECONDS)
    assert not breaker.admits(PAUSE_SECONDS + 1)
    assert breaker.admits(2 * PAUSE_SECONDS)
    breaker.succeeded()
    assert breaker.admits(2 * PAUSE_SECONDS)
    assert not breaker.is_open


def test_a_try_whose_caller_left_lets_the_next_one_try() -> None:
    breaker = opened()
    assert breaker.admits(PAUSE_SECONDS)
    breaker.withdrawn()
    assert breaker.admits(PAUSE_SECONDS)


@pytest.fixture
async def tasks() -> AsyncIterator[TaskGroup]:
    async with anyio.create_task_group() as group:
        yield group
        group.cancel_scope.cancel()


def starting(tasks: TaskGroup) -> Callable[[Job], None]:
    async def run(job: Job) -> None:
        await job()

    def start(job: Job) -> None:
        tasks.start_soon(run, job)

    return start


async def test_jobs_run_in_order_one_at_a_time_and_too_many_are_dropped(tasks: TaskGroup) -> None:
    ran: list[int] = []
    gate = anyio.Event()

    def job(number: int) -> Job:
        async def run() -> None:
            await gate.wait()
            ran.append(number)

        return run

    queue = Deferred(starting(tasks), most=3)
    assert [queue.put(job(number)) for number in range(5)] == [True, True, True, False, False]
    assert (queue.waiting, queue.dropped) == (3, 2)
    gate.set()
    await queue.drain(10)
    assert (ran, queue.waiting) == ([0, 1, 2], 0)
    assert queue.put(job(5))
    await queue.drain(10)
    assert ran == [0, 1, 2, 5]


async def test_what_does_not_end_in_time_is_dropped_and_counted(tasks: TaskGroup) -> None:
    queue = Deferred(starting(tasks))

    async def never() -> None:
        await anyio.sleep_forever()

    queue.put(never)
    await anyio.lowlevel.checkpoint()
    queue.put(never)
    await queue.drain(0)
    assert (queue.waiting, queue.dropped) == (0, 1)
