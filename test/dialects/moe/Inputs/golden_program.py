"""The decompositions beside another implementation: a golden checkpoint as a program of moe
operations, its weights as constants, and its logits compared with the stored ones.

    golden_program.py write FOLDER > program.mlir      then: cat program.mlir %prelude | %run_oracle
    golden_program.py compare FOLDER PRINTED

The last prompt of the checkpoint is fed in two steps, so that the second reads what the first
appended. Models of the Llama form (Llama, Mistral, Qwen2, Aquila2), and mixtures of experts.
"""

import array
import json
import pathlib
import re
import struct
import sys

PROMPT, FIRST_STEP = 2, 13

# Names of a router and of the gate, up and down of an expert, within a layer's block of experts.
MIXTRAL_NAMES = ("gate", "experts.{}.w1", "experts.{}.w3", "experts.{}.w2")
PROJ_NAMES = ("gate", "experts.{}.gate_proj", "experts.{}.up_proj", "experts.{}.down_proj")
EXPERT_NAMES = {
    "mixtral": ("block_sparse_moe.", MIXTRAL_NAMES),
    "deepseek": ("mlp.", PROJ_NAMES),
    "qwen2_moe": ("mlp.", PROJ_NAMES),
    "qwen3_moe": ("mlp.", PROJ_NAMES),
    "olmoe": ("mlp.", PROJ_NAMES),
    "granitemoe": ("block_sparse_moe.", ("router.layer", None, None, "output_linear")),
}


def tensors(path):
    """{name: (dtype, shape, bytes)} of a safetensors file."""
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    header.pop("__metadata__", None)
    return {
        name: (t["dtype"], t["shape"], raw[8 + length :][slice(*t["data_offsets"])])
        for name, t in header.items()
    }


class Program:
    """Lines of a function, with a constant for each weight that is used."""

    def __init__(self, folder):
        self.config = json.loads((folder / "config.json").read_text())
        self.weights = {}
        for path in sorted(folder.glob("model*.safetensors")):
            self.weights.update(tensors(path))
        self.lines, self.constants, self.count = [], {}, 0

    def emit(self, text, results=""):
        self.count += 1
        self.lines.append(f"  %{self.count}{results} = {text}")
        return f"%{self.count}"

    def weight(self, name):
        """A weight and its type: matrices as they are stored, vectors widened to f32."""
        dtype, shape, data = self.weights[name]
        assert dtype == "BF16", name
        element = "bf16"
        if len(shape) == 1:
            element = "f32"
            data = b"".join(b"\0\0" + data[i : i + 2] for i in range(0, len(data), 2))
        return *self.constant(name, data, shape, element), shape

    def constant(self, name, data, shape, element="bf16"):
        """The constant called `name` and its type."""
        type = f"tensor<{'x'.join(map(str, shape))}x{element}>"
        if name not in self.constants:
            self.constants[name] = f"%w{len(self.constants)}"
            self.lines.append(
                f'  {self.constants[name]} = arith.constant dense<"0x{data.hex()}"> : {type}'
            )
        return self.constants[name], type

    def matrices(self, name, experts):
        """The matrices of all experts and their type; `{}` in the name stands for the number."""
        found = [self.weights[name.format(e) + ".weight"] for e in range(experts)]
        return self.constant(name, b"".join(m[2] for m in found), [experts, *found[0][1]])

    def packed_matrices(self, name, part):
        """Half of the rows of each expert's matrix in a tensor [E, 2 F, K], and their type."""
        _, (experts, rows, k), data = self.weights[name + ".weight"]
        half = rows * k  # bytes
        parts = [data[i : i + half] for i in range(part * half, len(data), 2 * half)]
        return self.constant(f"{name}.{part}", b"".join(parts), [experts, rows // 2, k])

    def norm(self, x, rows, name):
        gain, type, _ = self.weight(name)
        eps = self.config["rms_norm_eps"]
        return self.emit(f"moe.rms_norm {x}, {gain} eps {eps:.9e} : {rows}, {type} -> {rows}")

    def linear(self, x, rows, tokens, name):
        weight, type, shape = self.weight(name + ".weight")
        result = f"tensor<{tokens}x{shape[0]}xf32>"
        if name + ".bias" in self.weights:
            bias, bias_type, _ = self.weight(name + ".bias")
            text = f"moe.linear {x}, {weight} + {bias} : {rows}, {type}, {bias_type} -> {result}"
        else:
            text = f"moe.linear {x}, {weight} : {rows}, {type} -> {result}"
        return self.emit(text), result

    def rope(self, x, rows, positions, ids, head_dim):
        scaling = self.config.get("rope_scaling") or {}
        kind = scaling.get("rope_type", scaling.get("type"))
        option = ""
        if kind == "linear":
            option = f", scaling = #moe.linear_scaling<{scaling['factor']} : f64>"
        elif kind == "llama3":
            option = (
                f", scaling = #moe.llama3_scaling<factor = {scaling['factor']} : f64,"
                f" low_factor = {scaling['low_freq_factor']} : f64,"
                f" high_factor = {scaling['high_freq_factor']} : f64,"
                f" original_context = {scaling['original_max_position_embeddings']}>"
            )
        base = self.config.get("rope_theta", 10000.0)
        return self.emit(
            f"moe.rope {x} at {positions} {{base = {base:.9e} : f64, head_dim = {head_dim} : i64,"
            f" rotary_dims = {head_dim} : i64{option}}} : {rows}, {ids}"
        )

    def scale(self, x, rows, factor):
        return x if factor == 1 else self.emit(f"moe.scale {x} by {factor:.17e} : {rows}")

    def ffn(self, h, rows, tokens, prefix):
        g, inner = self.linear(h, rows, tokens, prefix + "gate_proj")
        u, _ = self.linear(h, rows, tokens, prefix + "up_proj")
        y = self.emit(f"moe.gate silu {g}, {u} : {inner}")
        return self.linear(y, inner, tokens, prefix + "down_proj")[0]

    def experts(self, h, rows, tokens, prefix, names):
        """What the experts whose names begin with `prefix` make of the rows, and shared ones."""
        c = self.config
        logits, wide = self.linear(h, rows, tokens, prefix + names[0])
        scoring, options = "softmax", " {normalize = 0.0 : f64}"
        if c["model_type"] == "granitemoe":
            scoring, options = "softmax_chosen", ""
        elif not c.get("norm_topk_prob", c["model_type"] == "mixtral"):
            options = ""
        chosen = f"tensor<{tokens}x{c['num_experts_per_tok']}x"
        route = self.emit(
            f"moe.route {scoring} {logits}{options} : {wide} -> {chosen}i32>, {chosen}f32>", ":2"
        )
        count = int(re.search(r"x(\d+)xf32", wide)[1])
        if names[1]:
            gate, up = (self.matrices(prefix + name, count) for name in names[1:3])
            down = self.matrices(prefix + names[3], count)
        else:
            gate, up = (self.packed_matrices(prefix + "input_linear", part) for part in (0, 1))
            _, shape, data = self.weights[prefix + names[3] + ".weight"]
            down = self.constant(prefix + names[3], data, shape)
        y = self.emit(
            f"moe.experts silu {h} to {route}#0 weighted {route}#1"
            f" gate {gate[0]} up {up[0]} down {down[0]} : {rows}, {chosen}i32>, {chosen}f32>,"
            f" {gate[1]}, {up[1]}, {down[1]} -> {rows}"
        )
        shared = None
        if prefix + "shared_experts.up_proj.weight" in self.weights:
            shared = self.ffn(h, rows, tokens, prefix + "shared_experts.")
        elif prefix + "shared_expert.up_proj.weight" in self.weights:
            shared = self.ffn(h, rows, tokens, prefix + "shared_expert.")
            gate, column = self.linear(h, rows, tokens, prefix + "shared_expert_gate")
            shared = self.emit(f"moe.gate sigmoid {gate}, {shared} : {column}, {rows}")
        return self.emit(f"arith.addf {y}, {shared} : {rows}") if shared else y

    def step(self, ids, first, keys, values, state):
        """Tokens `ids` from position `first` on. Returns the states and the logits."""
        c, tokens = self.config, len(ids)
        heads = c["num_attention_heads"]
        head_dim = c.get("head_dim", c["hidden_size"] // heads)
        rows, vector = f"tensor<{tokens}x{c['hidden_size']}xf32>", f"tensor<{tokens}xi32>"
        window = c.get("sliding_window") if c.get("use_sliding_window", True) else None
        window = f", window = {window} : i64" if window else ""

        constant = "arith.constant dense<{}> : " + vector
        tokens_value = self.emit(constant.format(ids))
        positions = self.emit(constant.format(list(range(first, first + tokens))))
        slots = self.emit(constant.format(0))
        at = f"at {slots}, {positions}"
        table, table_type, _ = self.weight("model.embed_tokens.weight")
        x = self.emit(f"moe.embed {tokens_value}, {table} : {vector}, {table_type} -> {rows}")
        x = self.scale(x, rows, c.get("embedding_multiplier", 1))
        residual, scale = c.get("residual_multiplier", 1), c.get("attention_multiplier", head_dim**-0.5)
        for i in range(c["num_hidden_layers"]):
            prefix = f"model.layers.{i}."
            layer = self.emit(f"arith.constant {i} : index")
            h = self.norm(x, rows, prefix + "input_layernorm.weight")
            q, wide = self.linear(h, rows, tokens, prefix + "self_attn.q_proj")
            k, narrow = self.linear(h, rows, tokens, prefix + "self_attn.k_proj")
            v, _ = self.linear(h, rows, tokens, prefix + "self_attn.v_proj")
            if prefix + "self_attn.q_norm.weight" in self.weights:
                q = self.norm(q, wide, prefix + "self_attn.q_norm.weight")
                k = self.norm(k, narrow, prefix + "self_attn.k_norm.weight")
            q = self.rope(q, wide, positions, vector, head_dim)
            k = self.rope(k, narrow, positions, vector, head_dim)
            types = f"{narrow}, {state}, {vector}, {vector}"
            keys = self.emit(f"moe.kv_append {k} into {keys}[{layer}] {at} : {types}")
            values = self.emit(f"moe.kv_append {v} into {values}[{layer}] {at} : {types}")
            o = self.emit(
                f"moe.attention {q}, {keys}, {values}[{layer}] {at}"
                f" {{scale = {scale:.17e} : f64{window}}}"
                f" : {wide}, {state}, {vector}, {vector}"
            )
            o, _ = self.linear(o, wide, tokens, prefix + "self_attn.o_proj")
            x = self.emit(f"arith.addf {x}, {self.scale(o, rows, residual)} : {rows}")
            h = self.norm(x, rows, prefix + "post_attention_layernorm.weight")
            block, names = EXPERT_NAMES.get(c.get("model_type"), ("mlp.", None))
            if names and prefix + block + names[0] + ".weight" in self.weights:
                y = self.experts(h, rows, tokens, prefix + block, names)
            else:
                y = self.ffn(h, rows, tokens, prefix + "mlp.")
            x = self.emit(f"arith.addf {x}, {self.scale(y, rows, residual)} : {rows}")
        h = self.norm(x, rows, "model.norm.weight")
        tied = "lm_head.weight" not in self.weights
        head = "model.embed_tokens" if tied else "lm_head"
        logits, type = self.linear(h, rows, tokens, head)
        return keys, values, (self.scale(logits, type, 1 / c.get("logits_scaling", 1)), type)


def write(folder):
    program = Program(folder)
    c = program.config
    ids = json.loads((folder / "golden.json").read_text())["prompts"][PROMPT]
    head_dim = c.get("head_dim", c["hidden_size"] // c["num_attention_heads"])
    kv_heads = c.get("num_key_value_heads", c["num_attention_heads"])
    state = f"tensor<{c['num_hidden_layers']}x1x{len(ids)}x{kv_heads}x{head_dim}xf32>"
    keys = program.emit(f"arith.constant dense<0x7FC00000> : {state}")
    values = program.emit(f"arith.constant dense<0x7FC00000> : {state}")
    for part, first in (ids[:FIRST_STEP], 0), (ids[FIRST_STEP:], FIRST_STEP):
        keys, values, (logits, type) = program.step(part, first, keys, values, state)
        any = program.emit(f"tensor.cast {logits} : {type} to tensor<?x?xf32>")
        program.lines.append(f"  func.call @print({any}) : (tensor<?x?xf32>) -> ()")
    print("func.func @main() {", *program.lines, "  return", "}", sep="\n")


def compare(folder, printed):
    dtype, _, data = tensors(folder / "golden.safetensors")[f"{PROMPT}.logits"]
    assert dtype == "F32"
    expected = array.array("f", data)
    rows = [line for line in printed.read_text().splitlines() if "Memref" not in line]
    found = [float(n) for n in re.findall(r"[-+.\w]+", " ".join(rows))]
    if len(found) != len(expected):
        sys.exit(f"expected {len(expected)} logits, found {len(found)}")
    largest = max(abs(x) for x in expected)
    worst = max(abs(x - y) for x, y in zip(found, expected))
    # Six digits are printed, and f32 agrees to some 1e-5.
    if not worst <= 2e-5 * largest:
        sys.exit(f"expected logits within 2e-5 of the largest, {largest}; the worst differs by {worst}")
    print(f"{len(found)} logits, worst difference {worst / largest:.1e} of the largest")


if sys.argv[1] == "write":
    write(pathlib.Path(sys.argv[2]))
else:
    compare(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
