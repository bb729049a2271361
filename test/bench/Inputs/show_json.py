"""Reads what `bench/compare -o json` prints from standard input, and prints it by lines."""

import json
import sys

for workload in json.load(sys.stdin)["workloads"]:
    print(workload["model"], workload["repetitions"], *(side["name"] for side in workload["sides"]))
    for test in workload["tests"]:
        print(*(test[key] for key in ["test", "n_prompt", "n_gen", "n_depth", "n_threads", "n_sequences",
                                      "samples_ts", "ratio"]))  # fmt: skip
    for side in workload["sides"]:
        print(side["name"], "missing:", side["missing"])
