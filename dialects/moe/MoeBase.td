//===- MoeBase.td - The moe dialect, its attributes and type constraints --------------------------===//

#ifndef MOIRE_DIALECTS_MOE_BASE
#define MOIRE_DIALECTS_MOE_BASE

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Moe_Dialect : Dialect {
  let name = "moe";
  let cppNamespace = "::mlir::moe";
  let summary = "What language models are made of";
  let description = [{
    Operations of language models on tensors, without a target. Token counts are the only dynamic
    dimension (and the bounds of the states). Weights are symbols: the IR holds names, shapes and
    recipes, never data. States are tensors, used linearly.

    Every operation decomposes to linalg, tensor, scf, arith and math; that decomposition is its
    specification.

    A tensor's *encoding* says how its values are stored, never what they are:
    `tensor<576x1536xf32, #moe.block<q4_1>>` is a matrix of float32 values, each of which can be
    written as a Q4_1 block does. Decompositions ignore encodings.
  }];
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

//===- Encodings ----------------------------------------------------------------------------------===//

// The names of dialects/Formats.def.
def Moe_BlockFormat : AttrOrTypeParameter<"::moire::BlockFormat", "a block format"> {
  let printer = "$_printer << llvm::StringRef(::moire::blockInfo($_self).name)";
}

def Moe_BlockAttr : AttrDef<Moe_Dialect, "Block"> {
  let mnemonic = "block";
  let summary = "Storage of a tensor in blocks along its last dimension";
  let description = [{
    | format | block | what a value is | used for |
    |---|---|---|---|
    | `q4_0`, `q5_0` | 32 | d * (q - 8), d * (q - 16), d f16 | weights (ggml) |
    | `q4_1`, `q5_1` | 32 | d * q + m, d and m f16 | weights (ggml) |
    | `q8_0` | 32 | d * q, q of 8 bits, d f16 | weights (ggml) |
    | `iq4_nl` | 32 | d * v[q], a table v of 16 bytes, d f16 | weights (ggml) |
    | `q4_k`, `q5_k` | 256 | (d * s) * q - (e * m), s and m of 6 bits for each 32 columns, d and e f16 | weights (ggml) |
    | `q6_k` | 256 | (d * s) * (q - 32), s of 8 bits for each 16 columns, d f16 | weights (ggml) |
    | … | | every other row of dialects/Formats.def | weights (ggml) |
    | `int4_g32`, `_g64`, `_g128`, `_g256` | 32 … 256 | d * (q - 8), d f16 | weights (ours) |
    | `uint4_g32` … `_g256` | 32 … 256 | d * q + m, q of 4 bits, d and m f16 | weights (ours) |
    | `int8_g32` … `_g256` | 32 … 256 | d * q, q in -127 .. 127, d f16 | weights (ours) |
    | all of these with `_bf16` | 32 … 256 | the same, d and m bf16 | weights (ours) |
    | `int8` | 32 | d * q, q in -127 .. 127, d f32; with the sums of the q of 16 | activations |
    | `int8, 64` (`128`, `256`) | 64 … 256 | the same, with the sum of the q | activations |

    Formats called ours are in no file: the values of a weight's recipe are rounded to them when the
    program is put together (`-moe-choose-weights`). A row in blocks has a whole number of 32 columns;
    in our formats, and of activations, the last block of a row may have fewer columns than the others.
  }];
  let parameters = (ins Moe_BlockFormat:$format,
                        DefaultValuedParameter<"int64_t", "kColumns">:$columns);
  let assemblyFormat = "`<` $format (`,` $columns^)? `>`";
  let skipDefaultBuilders = 1;
  let builders = [AttrBuilder<(ins "::moire::BlockFormat":$format,
                                   CArg<"int64_t", "kColumns">:$columns), [{
    return $_get($_ctxt, format, columns);
  }]>];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Columns of which a row in blocks has a whole number, and of a block of activations, if nothing
    /// else is said.
    static constexpr int64_t kColumns = ::moire::kQuantColumns;
    /// Scales that rounding activations chooses among: max / 127, max / 126, …
    static constexpr int64_t kScaleCandidates = 4;
    /// The block attribute of a tensor type, or null.
    static BlockAttr of(::mlir::Type type);
    /// Elements of one block of this format.
    int64_t getBlock() const {
      return isActivation() ? getColumns() : int64_t(::moire::blockInfo(getFormat()).elements);
    }
    bool isActivation() const { return getFormat() == BlockFormat::Int8; }
    /// Columns of a row of weights in this format that share a scale.
    int64_t getScaleColumns() const {
      return ::moire::panelInfo(::moire::blockInfo(getFormat()).panel).columns;
    }
    /// Columns of which a row in this format has a whole number.
    int64_t getWholeColumns() const {
      return ::moire::blockInfo(getFormat()).isOwn() ? kColumns : getBlock();
    }
    /// Whether rows in blocks of `columns` can be multiplied with weights in this format: an exact sum
    /// of integers needs all of its columns to have one scale. (Sums of the 32 are also kept in halves.)
    bool canMeetRowsOf(int64_t columns) const {
      return columns == kColumns || getScaleColumns() % columns == 0;
    }
  }];
}

def Moe_Int8RowsAttr : AttrDef<Moe_Dialect, "Int8Rows"> {
  let mnemonic = "int8_rows";
  let summary = "Storage of keys and values: int8, with a scale for each token and head";
  let description = [{
    Each row along the last dimension is stored as d * q with q in -127 .. 127 and d f32. A row x is
    rounded so, in f32, with m = max |x|:

    | m | d | q |
    |---|---|---|
    | at least 2^-100, finite | m / 127 | x * (127 / m), to nearest, ties to even |
    | less | 0 | 0 |
    | infinite, or any x is NaN | NaN | 0 |

    So a row of zeros stays one, and a row that holds no numbers reads as NaN, whole.
  }];
  let assemblyFormat = "";
  let extraClassDeclaration = [{
    /// Rows whose largest magnitude is below this are zeros: 2^-100, so that 127 / m is finite.
    static constexpr float kSmallest = 0x1p-100f;
    /// Whether a type is a tensor of f32 with this encoding.
    static bool encodes(::mlir::Type type);
  }];
}

def Moe_RowsAttr : AttrDef<Moe_Dialect, "Rows"> {
  let mnemonic = "rows";
  let summary = "Storage of activations value by value: `#moe.rows<bf16>`";
  let description = [{
    The values of a row are written as `element`s, each by itself, for products with weights of that
    type. `element` is bf16.
  }];
  let parameters = (ins "::mlir::Type":$element);
  let assemblyFormat = "`<` $element `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The attribute of a tensor type, or null.
    static RowsAttr of(::mlir::Type type);
  }];
}

//===- RoPE scaling ------------------------------------------------------------------------------===//

def Moe_LinearScalingAttr : AttrDef<Moe_Dialect, "LinearScaling"> {
  let mnemonic = "linear_scaling";
  let summary = "RoPE: positions are divided by a factor";
  let parameters = (ins "::mlir::FloatAttr":$factor);
  let assemblyFormat = "`<` $factor `>`";
}

def Moe_Llama3ScalingAttr : AttrDef<Moe_Dialect, "Llama3Scaling"> {
  let mnemonic = "llama3_scaling";
  let summary = "RoPE: frequencies rescaled by wave length, as Llama 3.1 does";
  let description = [{
    With wave length l = 2 pi / f and c = original_context: f stays where l < c / high_factor,
    becomes f / factor where l > c / low_factor, and between them is mixed as
    (1 - s) * f / factor + s * f with s = (c / l - low_factor) / (high_factor - low_factor).
  }];
  let parameters = (ins "::mlir::FloatAttr":$factor, "::mlir::FloatAttr":$low_factor,
                        "::mlir::FloatAttr":$high_factor, "int64_t":$original_context);
  let assemblyFormat = "`<` struct(params) `>`";
}

//===- Weight recipes ------------------------------------------------------------------------------===//

def Moe_SourceAttr : AttrDef<Moe_Dialect, "Source"> {
  let mnemonic = "source";
  let summary = "Recipe: a tensor of the source file, or one a layer, or one an expert";
  let description = [{
    `name` is a tensor of the container. With `layers`, the weight is a stack with one slice for each
    listed layer, and `{i}` in the name stands for the layer's number. `interleaved_heads` is the
    number of heads whose rows stand in the order of interleaved RoPE (ggml's `llama` files): the
    packer reorders them for rotate-half. 0 means as they are.

    With `experts` = E, the weight has a matrix for each expert: a dimension of E behind that of the
    layers. `{e}` in the name stands for the expert's number; without it, one tensor [E, rows, K]
    holds the matrices of all experts. `first_row` is the row of each matrix of the file at which the
    weight's rows begin: files that pack two weights into one matrix are read by two recipes.
  }];
  let parameters = (ins "::mlir::StringAttr":$name,
                        OptionalArrayRefParameter<"int64_t">:$layers,
                        DefaultValuedParameter<"int64_t", "0">:$interleaved_heads,
                        DefaultValuedParameter<"int64_t", "0">:$experts,
                        DefaultValuedParameter<"int64_t", "0">:$first_row);
  let skipDefaultBuilders = 1;
  let builders = [AttrBuilder<(ins "::mlir::StringAttr":$name,
                                   "::llvm::ArrayRef<int64_t>":$layers,
                                   CArg<"int64_t", "0">:$interleaved_heads,
                                   CArg<"int64_t", "0">:$experts,
                                   CArg<"int64_t", "0">:$first_row), [{
    return $_get($_ctxt, name, layers, interleaved_heads, experts, first_row);
  }]>];
  let hasCustomAssemblyFormat = 1; // <"name", layers = [0, 1], experts = 16, first_row = 32>
}

def Moe_ConcatAttr : AttrDef<Moe_Dialect, "Concat"> {
  let mnemonic = "concat";
  let summary = "Recipe: the rows of other weights, one after another";
  let description = [{
    Of weights with experts, the rows of each expert are joined: [gate | up] of the first, then of
    the second.
  }];
  let parameters = (ins ArrayRefParameter<"::mlir::FlatSymbolRefAttr">:$parts);
  let assemblyFormat = "`<` $parts `>`";
}

//===- Types ---------------------------------------------------------------------------------------===//

// Only token counts and the bounds of states are dynamic.
class Moe_StaticDims<list<int> dims>
    : And<!foreach(dim, dims, CPred<"!::llvm::cast<::mlir::RankedTensorType>($_self).isDynamicDim(" #
                                    dim # ")">)>;
def Moe_Unencoded : CPred<"!::llvm::cast<::mlir::RankedTensorType>($_self).getEncoding()">;

class Moe_Tensor<Type tensor, list<Pred> predicates, string summary>
    : ConfinedType<tensor, predicates, summary, "::mlir::RankedTensorType">;

def Moe_Rows : Moe_Tensor<2DTensorOf<[F32]>, [Moe_StaticDims<[1]>],
    "tensor [tokens, width] of f32 with a static width, possibly encoded">;
def Moe_PlainRows : Moe_Tensor<2DTensorOf<[F32]>, [Moe_StaticDims<[1]>, Moe_Unencoded],
    "tensor [tokens, width] of f32 with a static width and no encoding">;
def Moe_Ids : Moe_Tensor<1DTensorOf<[I32]>, [Moe_Unencoded], "tensor [tokens] of i32">;
def Moe_Vector : Moe_Tensor<1DTensorOf<[F32]>, [Moe_StaticDims<[0]>, Moe_Unencoded],
    "tensor [width] of f32 with a static width and no encoding">;
def Moe_Matrix : Moe_Tensor<2DTensorOf<[F32, F16, BF16]>, [Moe_StaticDims<[0, 1]>],
    "tensor [out, in] of f32, f16 or bf16 with static dimensions, possibly encoded">;
def Moe_ChosenIds : Moe_Tensor<2DTensorOf<[I32]>, [Moe_StaticDims<[1]>, Moe_Unencoded],
    "tensor [tokens, chosen experts] of i32, the second static">;
def Moe_ExpertMatrices : Moe_Tensor<3DTensorOf<[F32, F16, BF16]>, [Moe_StaticDims<[0, 1, 2]>],
    "tensor [experts, out, in] of f32, f16 or bf16 with static dimensions, possibly encoded">;
def Moe_Int8Rows : CPred<"::mlir::moe::Int8RowsAttr::encodes($_self)">;
def Moe_State : Moe_Tensor<TensorRankOf<[F32, F16, BF16], [5]>,
    [Moe_StaticDims<[3, 4]>, Or<[Moe_Unencoded, Moe_Int8Rows]>],
    "tensor [layers, slots, positions, KV heads, head dim] of f32, f16 or bf16, the last two static, "
    "or of f32 encoded as #moe.int8_rows">;

#endif
