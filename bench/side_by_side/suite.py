"""What is measured: tests, and the combinations of them that a command line asks for."""

import dataclasses
import itertools


@dataclasses.dataclass(frozen=True, order=True)
class Test:
    kind: str  # "pp": a prompt of `tokens`; "tg": `tokens` steps, one token of each sequence in a step
    tokens: int
    depth: int = 0  # tokens that each sequence has before
    threads: int = 2
    sequences: int = 1  # that are decoded together

    @property
    def name(self):
        """As llama-bench and compiled programs write it."""
        return (f"{self.kind}{self.tokens}" + (f" x{self.sequences}" if self.sequences > 1 else "")
                + (f" @ d{self.depth}" if self.depth else ""))  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Suite:
    prompt: int = 512  # tokens; 0: no such test
    generate: int = 128
    depths: tuple = (0,)
    threads: tuple = (2,)
    sequences: tuple = ()  # numbers of sequences that are decoded together

    # Tokens that each sequence of a batch has before it is timed: llama-batched-bench needs some.
    BATCH_DEPTH = 16

    def tests(self):
        """All of them, in the order of the report."""
        kinds = [("pp", self.prompt), ("tg", self.generate)]
        single = [Test(kind, tokens, depth, threads) for threads, depth, (kind, tokens)
                  in itertools.product(self.threads, self.depths, kinds) if tokens]  # fmt: skip
        return single + [Test("tg", self.generate, self.BATCH_DEPTH, threads, sequences)
                         for threads in self.threads for sequences in self.sequences]  # fmt: skip
