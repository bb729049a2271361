"""The models that are measured: files, well-known shapes with made-up weights, and SmolLM2."""

import pathlib
import subprocess

from . import cache, gguf_model
from .shapes import SHAPES, TYPES

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def path_of(model, layers=None, matrices=TYPES[0]):
    """The path of a model: a shape's name (with so many layers, of such a type), smollm2, or a file
    or folder."""
    if model in SHAPES:
        return gguf_model.model(model, layers, matrices.upper())
    if model == "smollm2":
        found = subprocess.run([ROOT / "scripts" / "fetch-model", model], stdout=subprocess.PIPE, text=True)
        if found.returncode:
            cache.fail(f"scripts/fetch-model {model} failed")
        return pathlib.Path(found.stdout.strip())
    if not pathlib.Path(model).exists():
        cache.fail(f"'{model}' is neither a file nor a shape ({', '.join(SHAPES)})", 2)
    return pathlib.Path(model)
