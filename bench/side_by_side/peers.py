"""The programs that Moire is compared with, built from pinned source packages, outside of the repository.

Their code never comes in here. A build is kept for the processor, the flags and the compiler that it
is for: `peers/NAME-VERSION-KEY/` of the cache holds its programs.
"""

import dataclasses
import hashlib
import os
import pathlib
import shutil
import subprocess
import tarfile

from . import cache, machine

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Source:
    name: str
    package: str  # of the Python Package Index
    version: str
    sha256: str  # of its source archive
    vendored: str  # the folder of the C++ sources in it
    options: dict  # for cmake, beside those of all
    programs: tuple
    added: dict = dataclasses.field(default_factory=dict)  # {file that the package lacks: text}

    @property
    def stem(self):
        return f"{self.package.replace('-', '_')}-{self.version}"

    @property
    def archive(self):
        return self.stem + ".tar.gz"


@dataclasses.dataclass(frozen=True)
class Harness(Source):
    """A program of ours that is built with a peer's library."""

    project: str = ""  # its folder here; CMake finds the peer's sources in VENDORED


LLAMA_CPP = Source(
    name="llama.cpp",
    package="llama-cpp-python",
    version="0.3.36",
    sha256="832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e",
    vendored="vendor/llama.cpp",
    options={"LLAMA_CURL": "OFF", "LLAMA_BUILD_EXAMPLES": "OFF"},
    programs=("llama-bench", "llama-batched-bench"),
)  # fmt: skip

# What llama.cpp predicts, for bench/quality.
LLAMA_LOGITS = Harness(**vars(LLAMA_CPP) | dict(options={}, programs=("llama-logits",),
                                                project="llama_logits"))  # fmt: skip

IK_LLAMA_CPP = Source(
    name="ik_llama.cpp",
    package="ik-llama-cpp-python",
    version="0.1.5",
    sha256="33c67eb99e4dcab5e611050433243815709b8b3067753f9ce18375013cf002ad",
    vendored="vendor/ik_llama.cpp",
    # Its benchmarks are examples. Attention over keys and values in 4 bits, which nothing here
    # measures, takes most of the time to build.
    options={"LLAMA_BUILD_EXAMPLES": "ON", "GGML_IQK_FA_ALL_QUANTS": "OFF"},
    programs=("llama-bench", "llama-batched-bench", "llama-sweep-bench"),
    # Writes down the commit, which a package does not know.
    added={"common/cmake/build-info-gen-cpp.cmake": """
set(BUILD_NUMBER 0)
set(BUILD_COMMIT unknown)
set(BUILD_COMPILER unknown)
set(BUILD_TARGET unknown)
configure_file(${CMAKE_CURRENT_LIST_DIR}/../build-info.cpp.in ${CMAKE_CURRENT_LIST_DIR}/../build-info.cpp)
"""},
)  # fmt: skip

COMMON = {"CMAKE_BUILD_TYPE": "Release", "BUILD_SHARED_LIBS": "OFF", "LLAMA_BUILD_TESTS": "OFF",
          "LLAMA_BUILD_SERVER": "OFF"}  # fmt: skip

# What a build may be for. Without GGML_NATIVE, the other switches say which instructions are used.
CPUS = {
    "native": {"GGML_NATIVE": "ON"},
    "x86-64-v3": {"GGML_NATIVE": "OFF", "GGML_AVX": "ON", "GGML_AVX2": "ON", "GGML_FMA": "ON",
                  "GGML_F16C": "ON", "GGML_BMI2": "ON"},
}  # fmt: skip


def compilers():
    """The commands for C and C++: the machine's own, which are what users of the peers have, or else
    Moire's."""
    named = os.environ.get("CC", "cc"), os.environ.get("CXX", "c++")
    for pair in [named, ("clang-22", "clang++-22")]:
        if all(map(shutil.which, pair)):
            return pair
    cache.fail(f"a C++ compiler is needed to build the peers: there is no '{named[1]}'")


def compiler():
    """What builds them, in words."""
    said = subprocess.run([compilers()[1], "--version"], stdout=subprocess.PIPE, text=True)
    return said.stdout.split("\n")[0]


def build(source, options, target):
    with cache.workplace(target) as work:
        if target.exists():  # another process was faster
            return
        archive = cache.fetch_source(source.package, source.version, source.archive, source.sha256, work)
        inside = f"{source.stem}/{source.vendored}"
        with tarfile.open(archive) as opened:
            members = [m for m in opened.getmembers() if m.name.startswith(inside + "/")]
            opened.extractall(work, members)  # its SHA-256 is ours
        for name, text in source.added.items():
            (work / inside / name).parent.mkdir(parents=True, exist_ok=True)
            (work / inside / name).write_text(text)
        project = work / inside
        if isinstance(source, Harness):
            options = options | {"VENDORED": project}
            project = HERE / source.project
        c, cxx = compilers()
        cache.run_tool(["cmake", "-G", "Ninja", "-S", project, "-B", work / "build",
                        f"-DCMAKE_C_COMPILER={c}", f"-DCMAKE_CXX_COMPILER={cxx}"]
                       + [f"-D{name}={value}" for name, value in options.items()])  # fmt: skip
        cache.run_tool(["cmake", "--build", work / "build", f"-j{machine.cores()}",
                        "--target", *source.programs])  # fmt: skip
        finished = work / "finished"
        finished.mkdir()
        for program in source.programs:
            shutil.copy2(work / "build" / "bin" / program, finished)
        os.rename(finished, target)


def programs(source, cpu):
    """{name: path} of the source's programs for `cpu`, a key of CPUS; builds them if they are not there."""
    options = COMMON | source.options | CPUS[cpu]
    # Native code of one machine may not run on the next that shares the cache.
    known = [source, options, compiler(), machine.identity()]
    if isinstance(source, Harness):
        known += [path.read_text() for path in sorted((HERE / source.project).iterdir())]
    key = hashlib.sha256(repr(known).encode()).hexdigest()[:12]
    target = cache.folder("peers") / f"{source.name}-{source.version}-{cpu}-{key}"
    if not target.exists():
        build(source, options, target)
    return {program: target / program for program in source.programs}
