# lit's configuration: which files are tests, and the tools and substitutions they may use.
# README.md in this folder describes the substitutions.

import os
import sys

import lit.formats

config.name = "Moire"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "golden"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.moire_build_root, "test")

llvm_bin = os.path.join(config.llvm_root, "bin")
config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.moire_build_root, "bin"), llvm_bin, os.environ.get("PATH", "")]
)
# Sanitizers report leaks of the JIT'ed programs, which free nothing on purpose, and memory that MLIR's
# own objects, which are not instrumented, fill where ours have marked it as unused.
config.environment["ASAN_OPTIONS"] = "detect_leaks=0:allow_user_poisoning=0"

# Standard input: a module whose @main prints. Its moe operations are replaced by their
# decompositions, its weights by pseudo-random values, and it is run. Addresses are not printed.
runner_libraries = ",".join(
    os.path.join(config.llvm_root, "lib", name)
    for name in ["libmlir_runner_utils.so", "libmlir_c_runner_utils.so"]
)
oracle_passes = [
    "--moe-randomize-weights",
    "--moe-decompose",
    "--convert-elementwise-to-linalg",
    "--canonicalize",
    '--one-shot-bufferize="bufferize-function-boundaries'
    " function-boundary-type-conversion=identity-layout-map"
    ' allow-return-allocs-from-loops"',
    "--buffer-deallocation-pipeline",
    "--convert-linalg-to-loops",
    "--convert-scf-to-cf",
    "--expand-strided-metadata",
    "--lower-affine",
    "--convert-math-to-llvm",
    "--convert-arith-to-llvm",
    "--convert-index-to-llvm",
    "--finalize-memref-to-llvm",
    "--convert-func-to-llvm",
    "--convert-cf-to-llvm",
    "--reconcile-unrealized-casts",
]
oracle = " | ".join(
    [
        "moire-opt " + " ".join(oracle_passes),
        f"mlir-runner -O0 -e main --entry-point-result=void --shared-libs={runner_libraries}",
        "sed 's/ base@ = [^ ]*//'",
    ]
)

inputs = os.path.join(config.test_source_root, "Inputs")
config.substitutions += [
    ("%run_oracle", oracle),
    ("%prelude", os.path.join(inputs, "prelude.mlir")),
    ("%compare_printed", f"{sys.executable} {os.path.join(inputs, 'compare_printed.py')}"),
    ("%expect_status", f"{sys.executable} {os.path.join(inputs, 'expect_status.py')}"),
    ("%python", sys.executable),
    ("%moire_root", config.moire_source_root),
]
