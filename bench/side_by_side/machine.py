"""The machine that runs the measurements, for reports."""

import os
import pathlib


def cores():
    return len(os.sched_getaffinity(0))


def _first_processor():
    """What /proc/cpuinfo says of the first core: {"model name": …, "flags": …}."""
    first = pathlib.Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    lines = (line.split(":", 1) for line in first.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in lines}


def identity():
    """What code for this very processor depends on."""
    cpu = _first_processor()
    return cpu.get("model name", ""), cpu.get("flags", "")


def described():
    """{"processor": …, "instructions": …, "cores": …, "memory_gb": …}"""
    cpu = _first_processor()
    flags = set(cpu.get("flags", "").split())
    # The sets that decide how fast products of small integers and of bf16 are.
    shown = ["avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8"]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"processor": cpu.get("model name", "unknown"), "cores": cores(),
            "instructions": [flag for flag in shown if flag in flags],
            "memory_gb": round(memory / 1e9, 1)}  # fmt: skip
