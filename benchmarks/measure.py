"What the benchmarks measure with: processor time and memory of this process and of its children."

import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psutil

Result = TypeVar("Result")


def cpu() -> float:  # seconds of this process and of its children, finished or alive
    "Processor time used so far."
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(usage.ru_utime + usage.ru_stime for usage in used)
    for child in psutil.Process().children():
        try:
            times = child.cpu_times()
        except psutil.Error:
            continue
        seconds += times.user + times.system + times.children_user + times.children_system
    return seconds


def memory(
    process: psutil.Process,
) -> float:  # MB, a page that several processes share counted once
    "Memory of a process and its children at this moment."
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_full_info().pss if sys.platform == "linux" else one.memory_info().rss
        except psutil.Error:
            continue
    return total / 1e6


@contextmanager
def peak(
    mb: list[float],  # gets one number: the highest sum over this process and its children
) -> Iterator[None]:
    "Watch the memory of a block."
    stop, highest, me = threading.Event(), 0.0, psutil.Process()

    def watch() -> None:
        nonlocal highest
        while not stop.wait(0.2):
            highest = max(highest, memory(me))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        mb.append(highest)


def measure(
    name: str,
    run: Callable[[], Result],
) -> tuple[Result, float]:  # result and seconds
    "Time a run and print what it took."
    mb: list[float] = []
    start, used = time.perf_counter(), cpu()
    with peak(mb):
        result = run()
        seconds = time.perf_counter() - start
    print(f"{name:<36} {seconds:6.1f} s   {cpu() - used:6.1f} CPU s   peak {mb[0]:5.0f} MB", flush=True)
    return result, seconds
