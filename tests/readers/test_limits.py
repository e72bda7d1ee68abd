"""A crafted file may kill or hang the child, never the program."""

from __future__ import annotations

import os
import time

import pytest

from surefoot.errors import InputError
from surefoot.messages import render
from surefoot.readers import limits
from surefoot.readers.limits import Job, limits_for, run_jobs, run_limited


def double(number: int) -> int:
    return 2 * number


def hang() -> None:
    while True:
        time.sleep(0.05)


def spin() -> None:
    while True:
        pass


def hog() -> int:
    return len(bytearray(3_000_000_000))


def crash() -> None:
    os.abort()


def fail() -> None:
    raise InputError("SF-R104", "x.csv", detail="bad")


def shout() -> str:
    os.write(1, b"noise on standard output\n")
    print("more noise")
    return "heard"


def blunder() -> None:
    raise ZeroDivisionError("a fault of our own")


def test_result_comes_back() -> None:
    assert run_limited(double, 21) == 42


def test_printing_does_not_disturb_the_answer() -> None:
    assert run_limited(shout) == "heard"


def test_reason_of_the_function_comes_back_with_its_values() -> None:
    with pytest.raises(InputError) as caught:
        run_limited(fail)
    assert (caught.value.id, caught.value.found, caught.value.values["detail"]) == ("SF-R104", "x.csv", "bad")


@pytest.mark.parametrize(
    ("function", "id_"),
    [
        (spin, "SF-R102"), pytest.param(hang, "SF-R102", marks=pytest.mark.slow), (hog, "SF-R103"), (crash, "SF-R101"),
        (blunder, "SF-R101"),
    ],
)  # fmt: skip
def test_child_that_misbehaves_gives_a_plain_reason(function: object, id_: str) -> None:
    # the first job opens the child, so that the start of the interpreter is not on the second one's clock
    first, outcome = run_jobs([Job(double, (1,)), Job(function, (), seconds=1.0, megabytes=300)])  # type: ignore[arg-type]
    assert first == 2
    assert isinstance(outcome, InputError)
    assert outcome.id == id_
    assert render(outcome.id, outcome.values, found=outcome.found).advice


def test_the_rest_goes_on_after_a_crash() -> None:
    outcomes = run_jobs([Job(double, (1,)), Job(crash), Job(double, (3,))])
    assert outcomes[0] == 2
    assert isinstance(outcomes[1], InputError)
    assert outcomes[2] == 6


def test_many_jobs_run_side_by_side_and_come_back_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "JOBS_A_CHILD", 5)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    jobs = [Job(double, (number,)) for number in range(10)]
    jobs[3] = Job(fail)
    jobs[6] = Job(crash)
    outcomes = run_jobs([*jobs, Job(os.getpid), Job(os.getpid)])
    refused = {place: outcome.id for place, outcome in enumerate(outcomes) if isinstance(outcome, InputError)}
    assert refused == {3: "SF-R104", 6: "SF-R101"}
    assert [outcomes[place] for place in (0, 1, 2, 4, 5, 7, 8, 9)] == [0, 2, 4, 8, 10, 14, 16, 18]
    assert len({os.getpid(), *outcomes[-2:]}) == 3


def test_a_few_jobs_are_not_worth_a_second_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert len(set(run_jobs([Job(os.getpid)] * 20))) == 1


def test_small_files_get_small_limits() -> None:
    seconds, megabytes = limits_for(1_000)
    assert seconds <= 10.1
    assert megabytes <= 512
    assert limits_for(10**9)[0] > seconds


@pytest.mark.slow
def test_a_file_that_waits_for_a_busy_machine_is_not_set_aside() -> None:
    """Only processor time is limited tightly; what a neighbour takes must not change a result."""
    assert run_jobs([Job(time.sleep, (0.0,), 1.0), Job(time.sleep, (2.5,), 1.0)]) == [None, None]
