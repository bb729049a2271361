// The IR before and after in the descriptions of the passes is what they do.
// RUN: %python %S/run-examples.py %S/../../passes/Passes.td
