// The IR before and after in the descriptions of the passes is what they do.
// RUN: python3 %S/run-examples.py %S/../../passes/Passes.td
