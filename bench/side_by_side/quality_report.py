"""What formats cost in quality: rows of numbers as markdown, CSV or JSON."""

import csv
import dataclasses
import datetime
import io

from . import machine
from .formats import YARDSTICK

# What formats of Moire's own may lose at most, as a multiple of the yardstick's loss.
OWN_BARS = {"int4:g32": 1.0, "int4:g128": 1.35}
# What a file of ggml's may lose in Moire, as a multiple of its loss in ggml.
GGML_BAR = 1.05


@dataclasses.dataclass
class Row:
    format: str
    weights: str  # the formats in the program
    bits_per_weight: float  # of the program, embedding and head included
    activations: str
    kv: str
    kl: float  # the mean divergence from the reference
    kl_error: float
    kl_p99: float
    same_top: float  # share of positions with the same likeliest token
    perplexity: float
    ggml_kl: float | None = None  # the mean divergence of llama.cpp with the same file
    pp512: float | None = None  # tokens per second
    tg128: float | None = None
    kl_to_yardstick: float | None = None
    kl_to_ggml: float | None = None


def complete(rows):
    """Fills in what rows are compared with."""
    yardstick = next((row for row in rows if row.format == YARDSTICK), None)
    for row in rows:
        if yardstick:
            row.kl_to_yardstick = row.kl / yardstick.kl
        if row.ggml_kl:
            row.kl_to_ggml = row.kl / row.ggml_kl


def missed(rows):
    """Bars that are missed, in words."""
    found = []
    for row in rows:
        if row.kl_to_ggml and row.kl_to_ggml > GGML_BAR:
            found.append(f"{row.format}: a divergence of {row.kl_to_ggml:.3f} × ggml's is above "
                         f"{GGML_BAR} ×")  # fmt: skip
        bar = OWN_BARS.get(row.format)
        if bar and row.kl_to_yardstick and row.kl_to_yardstick > bar:
            found.append(f"{row.format}: a divergence of {row.kl_to_yardstick:.3f} × {YARDSTICK}'s is above "
                         f"{bar} ×")  # fmt: skip
    return found


# Title and text of each column; one without any text is left out.
COLUMNS = [
    ("format", lambda row: f"`{row.format}`"),
    ("bits per weight", lambda row: f"{row.bits_per_weight:.2f}"),
    ("KL", lambda row: f"{row.kl:.4g}"),
    ("±", lambda row: f"{row.kl_error:.2g}"),
    ("99 %", lambda row: f"{row.kl_p99:.3g}"),
    (f"× {YARDSTICK}", lambda row: f"{row.kl_to_yardstick:.4g}" if row.kl_to_yardstick else ""),
    ("ggml's KL", lambda row: f"{row.ggml_kl:.4g}" if row.ggml_kl else ""),
    ("× ggml", lambda row: f"{row.kl_to_ggml:.4g}" if row.kl_to_ggml else ""),
    ("same token", lambda row: f"{row.same_top:.1%}"),
    ("perplexity", lambda row: f"{row.perplexity:.3f}"),
    ("pp512, tokens/s", lambda row: f"{row.pp512:.1f}" if row.pp512 else ""),
    ("tg128, tokens/s", lambda row: f"{row.tg128:.1f}" if row.tg128 else ""),
]


def _table(rows):
    cells = [(title, [text(row) for row in rows]) for title, text in COLUMNS]
    cells = [(title, texts) for title, texts in cells if any(texts)]
    yield "| " + " | ".join(title for title, _ in cells) + " |"
    yield "|---|" + "---:|" * (len(cells) - 1)
    for line in zip(*(texts for _, texts in cells)):
        yield "| " + " | ".join(text or "–" for text in line) + " |"


def markdown(rows, about):
    """A table. `about` has the model and the text by name, its tokens, and the reference's perplexity."""
    described = machine.described()
    lines = [f"{about['model']}, {about['text']}: {about['tokens']} tokens, perplexity "
             f"{about['perplexity']:.4f} with f32 activations. {datetime.date.today()}, "
             f"{described['processor']}, {described['cores']} cores.", "", *_table(rows)]  # fmt: skip
    return "\n".join(lines) + "\n"


def comma_separated(rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([field.name for field in dataclasses.fields(Row)])
    writer.writerows(dataclasses.astuple(row) for row in rows)
    return out.getvalue()


def plain(rows, about):
    """The same as plain data, for json.dump."""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": machine.described(),
        "reference": about,
        "formats": [dataclasses.asdict(row) for row in rows],
    }
