"""GGUF files with their matrices in another type: what ggml's plain rounding makes of a model.

The matrices are those that `moire compile --quant` rounds too: routers and vectors stay, and so does
an embedding or a head that has 8 bits or fewer; of 16 or 32 bits it becomes Q8_0 where the others
become blocks.
"""

from . import gguf_model

EDGES = ("token_embd.weight", "output.weight")  # embedding and head
HALF_OR_MORE = ("F32", "F16", "BF16")


def _wanted(tensor, kind, gguf):
    """The type that a tensor is to have."""
    if len(tensor.shape) < 2 or "ffn_gate_inp" in tensor.name:
        return tensor.tensor_type
    in_blocks = gguf.GGML_QUANT_SIZES[kind][0] > 1
    if tensor.name in EDGES:
        if tensor.tensor_type.name not in HALF_OR_MORE or not in_blocks:
            return tensor.tensor_type
        kind = gguf.GGMLQuantizationType.Q8_0
    fits = int(tensor.shape[0]) % gguf.GGML_QUANT_SIZES[kind][0] == 0  # ggml names rows' length first
    return kind if fits else tensor.tensor_type


def _data(tensor, kind, gguf):
    if kind == tensor.tensor_type:
        return tensor.data
    values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
    return gguf.quants.quantize(values, kind)


def _copy_fields(reader, writer, gguf):
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == gguf.Keys.General.ARCHITECTURE:
            continue  # the writer has its own
        inner = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), field.types[0], sub_type=inner)


def write(source, target, name):
    """Writes `source` to `target` with matrices of the type `name`, such as q4_0. Returns whether it
    did: not if nothing would change."""
    gguf, np = gguf_model.import_packages()
    kind = gguf.GGMLQuantizationType[name.upper()]
    reader = gguf.GGUFReader(source)
    types = [_wanted(tensor, kind, gguf) for tensor in reader.tensors]
    if all(kept == tensor.tensor_type for kept, tensor in zip(types, reader.tensors)):
        return False
    architecture = reader.fields[gguf.Keys.General.ARCHITECTURE].contents()
    writer = gguf.GGUFWriter(target, architecture)
    _copy_fields(reader, writer, gguf)
    for tensor, wanted in zip(reader.tensors, types):
        shape = tuple(int(size) for size in reversed(tensor.shape))
        gguf_model.declare(writer, tensor.name, shape, wanted, gguf, np)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for tensor, wanted in zip(reader.tensors, types):
        writer.write_tensor_data(np.ascontiguousarray(_data(tensor, wanted, gguf)))
    writer.close()
    return True
