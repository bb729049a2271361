"""Builds a peer from a source package that is a toy: build_peer.py BENCH WORK. Prints what happens.

In place of pip, which would ask the Package Index, the package is copied.
"""

import dataclasses
import hashlib
import io
import os
import pathlib
import subprocess
import sys
import tarfile

bench, work = sys.argv[1], pathlib.Path(sys.argv[2]).absolute()
os.environ["MOIRE_CACHE"] = str(work / "cache")
sys.path.insert(0, bench)
from side_by_side import cache, peers  # noqa: E402

FILES = {
    "vendor/llama.cpp/CMakeLists.txt": """
cmake_minimum_required(VERSION 3.16)
project(toy CXX)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
add_executable(llama-bench main.cpp)
target_compile_definitions(llama-bench PRIVATE "NATIVE=\\"${GGML_NATIVE}\\"")
include(added/here.cmake)
""",
    "vendor/llama.cpp/main.cpp": '#include <cstdio>\nint main() { std::puts("native " NATIVE); return 0; }\n',
    "setup.py": "raise SystemExit('a source package is only unpacked')\n",
}

source = dataclasses.replace(peers.LLAMA_CPP, programs=("llama-bench",),
                             added={"added/here.cmake": "message(STATUS \"an added file\")"})
with tarfile.open(work / source.archive, "w:gz") as archive:
    for name, text in FILES.items():
        entry = tarfile.TarInfo(f"{source.stem}/{name}")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text.encode()))
packed = (work / source.archive).read_bytes()
source = dataclasses.replace(source, sha256=hashlib.sha256(packed).hexdigest())


def pip(verb, *arguments):
    print("pip", verb, arguments[-1], flush=True)
    folder = pathlib.Path(arguments[arguments.index("--dest") + 1])
    (folder / source.archive).write_bytes(packed)


cache.pip = pip
for cpu in ["native", "native", "x86-64-v3"]:
    program = peers.programs(source, cpu)["llama-bench"]
    print(program.parent.name, subprocess.run([program], stdout=subprocess.PIPE, text=True).stdout, end="")
# A program of ours with a library of the peer's: here, the toy's text. Built anew when it changes.
(work / "ours").mkdir()
(work / "ours" / "CMakeLists.txt").write_text("""
cmake_minimum_required(VERSION 3.16)
project(ours CXX)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
add_executable(ours main.cpp)
target_compile_definitions(ours PRIVATE "PEER=\\"${VENDORED}/main.cpp\\"" "NATIVE=\\"${GGML_NATIVE}\\"")
""")
peers.HERE = work
harness = peers.Harness(**vars(source) | {"programs": ("ours",), "project": "ours"})
for word in ["once", "once", "twice"]:
    (work / "ours" / "main.cpp").write_text(f"""
#include <cstdio>
#define main main_of_peer
#include PEER
#undef main
int main() {{ std::printf("{word}, "); main_of_peer(); }}
""")
    program = peers.programs(harness, "native")["ours"]
    print(program.parent.name, subprocess.run([program], stdout=subprocess.PIPE, text=True).stdout, end="")
print("left in the cache:", len(list((work / "cache" / "peers").glob("unfinished-*"))), flush=True)
peers.programs(dataclasses.replace(source, sha256="0" * 64), "native")
