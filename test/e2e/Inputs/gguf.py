"""Writes GGUF files: what the end-to-end tests need of the format."""

import struct

F32, Q8_0 = 0, 8  # ggml's numbers
ALIGNMENT = 32


def spelled(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def value(of):
    """The type's number and the bytes of a bool, int, float, text, or a list of one kind of them."""
    if isinstance(of, bool):
        return 7, struct.pack("<?", of)
    if isinstance(of, int):
        return 4, struct.pack("<I", of)
    if isinstance(of, float):
        return 6, struct.pack("<f", of)
    if isinstance(of, str):
        return 8, spelled(of)
    kind = value(of[0])[0]
    return 9, struct.pack("<IQ", kind, len(of)) + b"".join(value(element)[1] for element in of)


def write_gguf(path, metadata, tensors):
    """`tensors`: (name, shape as in the model's code, type, bytes)."""
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    for key, of in metadata.items():
        kind, data = value(of)
        header += spelled(key) + struct.pack("<I", kind) + data
    blob = bytearray()
    for name, shape, kind, stored in tensors:
        header += spelled(name) + struct.pack("<I", len(shape))
        header += b"".join(struct.pack("<Q", extent) for extent in reversed(shape))
        header += struct.pack("<IQ", kind, len(blob))
        blob += stored + bytes(-len(stored) % ALIGNMENT)
    with open(path, "wb") as file:
        file.write(header + bytes(-len(header) % ALIGNMENT) + blob)
