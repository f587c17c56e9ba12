"""What every command prints with: progress that Ctrl-C ends, whoever runs at the time."""

import signal
import threading

import pytest

from dse.terminal import progress


def test_an_interrupt_that_a_library_loses_is_raised_at_the_next_tick() -> None:
    with progress("steps") as tick:
        tick(1, 3)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            tick(2, 3)


def test_ctrl_c_is_what_it_was_before_and_after() -> None:
    before = signal.getsignal(signal.SIGINT)
    with progress("steps") as tick:
        tick(1, 1)
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_a_thread_that_is_not_the_main_one_may_show_progress() -> None:
    done: list[int] = []

    def work() -> None:
        with progress("steps") as tick:
            tick(1, 1)
            done.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [1]
