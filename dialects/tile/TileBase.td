//===- TileBase.td - The tile dialect, its attributes ---------------------------------------------===//

#ifndef MOIRE_DIALECTS_TILE_BASE
#define MOIRE_DIALECTS_TILE_BASE

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::mlir::tile";
  let summary = "What a step of a model is made of, on buffers, for a team of threads";
  let description = [{
    A scheduled step: kernels on planned buffers and packed weights, each with the way its work is
    split over a team, and barriers where data crosses threads.

    The functions that hold these operations start with three arguments: the step (`!llvm.ptr` to a
    `moire_step` of runtime/Abi.h), this thread's number and the size of the team (`index`). Every
    operation verifies that.

    Buffers are memrefs, rows (tokens) first. A buffer has as many rows as the step, or 1 where the
    function is a variant for one token.
  }];
  let useDefaultAttributePrinterParser = 1;
}

class Tile_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::mlir::tile";
}

def Tile_Split : Tile_Enum<"Split", "How the work of a kernel is split over the team", [
    I32EnumAttrCase<"Rows", 0, "rows">,      // by token
    I32EnumAttrCase<"Panels", 1, "panels">,  // by panel of output rows
    I32EnumAttrCase<"Segments", 2, "segments">, // by KV head and segment of what its row sees
    I32EnumAttrCase<"Tiles", 3, "tiles">,    // by tile of query rows and KV head
    I32EnumAttrCase<"Whole", 4, "whole">,    // not: every thread does all of it, for itself
    I32EnumAttrCase<"First", 5, "first">]>;  // not: the first thread does all of it, for all

def Tile_Space : Tile_Enum<"Space", "Who sees a buffer", [
    I32EnumAttrCase<"Shared", 0, "shared">,   // the team: rows of the step
    I32EnumAttrCase<"Private", 1, "private">, // each thread its own
    I32EnumAttrCase<"Team", 2, "team">,       // the team: of a size that no step changes
    I32EnumAttrCase<"Kept", 3, "kept">]>;     // the team, in all steps: zero before the first

def Tile_Count : Tile_Enum<"Count", "A number of rows known when a step runs", [
    I32EnumAttrCase<"Tokens", 0, "tokens">, I32EnumAttrCase<"LogitRows", 1, "logit_rows">]>;

def Tile_Input : Tile_Enum<"Input", "A field of the step that points to data", [
    I32EnumAttrCase<"Tokens", 0, "tokens">, I32EnumAttrCase<"Slots", 1, "slots">,
    I32EnumAttrCase<"Positions", 2, "positions">, I32EnumAttrCase<"Rows", 3, "rows">,
    I32EnumAttrCase<"Logits", 4, "logits">, I32EnumAttrCase<"Kv", 5, "kv">,
    I32EnumAttrCase<"PageTable", 6, "page_table">, I32EnumAttrCase<"Taps", 7, "taps">,
    I32EnumAttrCase<"RouteIds", 8, "route_ids">,
    I32EnumAttrCase<"RouteWeights", 9, "route_weights">]>;

// The names of dialects/Formats.def.
def Tile_FormatParameter : AttrOrTypeParameter<"::moire::PanelFormat", "a format of panels"> {
  let printer = "$_printer << llvm::StringRef(::moire::panelInfo($_self).name)";
}

// It prints a space in front of itself: hence the `` before $format in the operations.
def Tile_Format : AttrDef<Tile_Dialect, "Format"> {
  let summary = "How a panel stores its weights (codegen/artifact/Packing.h)";
  let mnemonic = "format";
  let parameters = (ins Tile_FormatParameter:$value);
  let assemblyFormat = "$value";
  let returnType = "::moire::PanelFormat";
  let convertFromStorage = "$_self.getValue()";
  let constBuilderCall = "::mlir::tile::FormatAttr::get($_builder.getContext(), $0)";
}

def Tile_Epilogue : Tile_Enum<"Epilogue", "What becomes of a product", [
    I32EnumAttrCase<"Store", 0, "store">,          // out = product
    I32EnumAttrCase<"Accumulate", 1, "accumulate">,// out += product (residual)
    I32EnumAttrCase<"GateSilu", 2, "gate_silu">,  // out = silu(even panel) * odd panel
    I32EnumAttrCase<"Silu", 3, "silu">]>;         // out = silu(product)

def Tile_Activation : Tile_Enum<"Activation", "The function of a gate", [
    I32EnumAttrCase<"Silu", 0, "silu">, I32EnumAttrCase<"Sigmoid", 1, "sigmoid">]>;

def Tile_Scoring : Tile_Enum<"Scoring", "How logits of experts become scores", [
    I32EnumAttrCase<"Softmax", 0, "softmax">,              // over all experts
    I32EnumAttrCase<"Sigmoid", 1, "sigmoid">,
    I32EnumAttrCase<"SoftmaxChosen", 2, "softmax_chosen">]>; // over those that were chosen

def Tile_GroupScore : Tile_Enum<"GroupScore", "What groups of experts are compared by", [
    I32EnumAttrCase<"Max", 0, "max">,             // the best of their experts
    I32EnumAttrCase<"Top2Sum", 1, "top2_sum">]>;  // the sum of their two best

def Tile_Side : Tile_Enum<"Side", "Keys or values of a KV page", [
    I32EnumAttrCase<"Keys", 0, "keys">, I32EnumAttrCase<"Values", 1, "values">]>;

def Tile_KvLayoutAttr : AttrDef<Tile_Dialect, "KvLayout"> {
  let mnemonic = "kv";
  let summary = "How keys and values lie in a page";
  let description = [{
    A page holds `page` consecutive positions of one sequence for all layers:
    `[layer][KV head][keys | values]`, keys transposed as `[head_dim][page]` so that scores of
    neighbouring positions are one vector, values as `[page][head_dim rounded up to 16]`. With the
    element i8 (`#moe.int8_rows`) keys, and then values, are followed by their scales: `[page]` f32.

    ```mlir
    #tile.kv<layers = 30, kv_heads = 3, head_dim = 64, page = 64, element = f16>
    ```

    Constraints:
    * (C1) `layers`, `kv_heads` and `head_dim` are positive.
    * (C2) `page` is a positive multiple of 16.
    * (C3) `element` is f32, f16, bf16 or i8.
  }];
  let parameters = (ins "int64_t":$layers, "int64_t":$kv_heads, "int64_t":$head_dim,
                        "int64_t":$page, "::mlir::Type":$element);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getElementBytes() const { return getElement().getIntOrFloatBitWidth() / 8; }
    /// Elements of one row of values: the head dim, rounded up to whole vectors.
    int64_t getValueStride() const { return (getHeadDim() + 15) / 16 * 16; }
    bool hasScales() const { return getElement().isInteger(8); }
    int64_t getScaleElements() const { return hasScales() ? 4 * getPage() : 0; }
    /// Where a part of one (layer, KV head) begins, in elements; keys begin at 0.
    int64_t getKeyScaleOffset() const { return getHeadDim() * getPage(); }
    int64_t getValueOffset() const { return getKeyScaleOffset() + getScaleElements(); }
    int64_t getValueScaleOffset() const { return getValueOffset() + getPage() * getValueStride(); }
    /// Elements of one (layer, KV head).
    int64_t getHeadElements() const { return getValueScaleOffset() + getScaleElements(); }
    int64_t getPageBytes() const {
      return getLayers() * getKvHeads() * getHeadElements() * getElementBytes();
    }
  }];
}

def Tile_BlockingAttr : AttrDef<Tile_Dialect, "Blocking"> {
  let mnemonic = "blocking";
  let summary = "How a product of many rows goes through them";
  let description = [{
    Up to `direct` rows read the packed panel, in tiles of `together` rows. More go in blocks of
    `block`: for each a chunk of `columns` columns of a panel is unpacked into the strip, and multiplied
    with tiles of `rows` rows and `panels` panels, which share what is loaded of a row (gate and up are
    two of them); where there are several chunks the unfinished sums of the block's rows stay in the strip,
    too (dialects/tile/Strip.h). Where rows do not divide into whole tiles, or blocks, there are as few as
    there can be, all of nearly the same size.

    ```mlir
    #tile.blocking<direct = 15, together = 5, rows = 4, block = 256, columns = 1024>
    ```

    Constraints:
    * (C1) `together`, `rows`, `block` and `panels` are positive, `direct` is not less than `together`.
    * (C2) `columns` is a positive multiple of 32.
  }];
  let parameters = (ins "int64_t":$direct, "int64_t":$together, "int64_t":$rows, "int64_t":$block,
                        "int64_t":$columns, DefaultValuedParameter<"int64_t", "1">:$panels);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Panels with numbers of their own that a tile multiplies: gate and up have one for both parts.
    int64_t getNumbered(int64_t parts) const { return std::max<int64_t>(getPanels() / parts, 1); }
  }];
}

def Tile_SharingAttr : AttrDef<Tile_Dialect, "Sharing"> {
  let mnemonic = "sharing";
  let summary = "How the threads share the panels of a product";
  let description = [{
    Of the first `equal` panels threads have equal shares. Of the others whoever is free takes the next
    turn: `panels` of them, or one of the last `single`, so that all are done at about the same time
    (of several matrices, those of experts, only the last one has such). Panels that tiles of many rows
    multiply side by side (`#tile.blocking`) stay together, in shares, turns and as single ones. Without a
    counter of turns all are in equal shares. For one row a thread reads `streams` panels side by side,
    for more rows as many fewer: its share, or turn, in so many parts. Rows that go through packed
    panels together ask for weights before they read them, `ahead` bytes in all of them (unless that is
    0). No result depends on any of it.

    ```mlir
    #tile.sharing<equal = 64, panels = 4, single = 8, streams = 4>
    #tile.sharing<equal = 64, panels = 4, single = 8, streams = 4, ahead = 2048>
    ```

    Constraints:
    * (C1) `panels` and `streams` are positive, `equal` and `single` not negative.
    * (C2) `ahead` is a multiple of 64 (cache lines), and not negative.
  }];
  let parameters = (ins "int64_t":$equal, "int64_t":$panels, "int64_t":$single, "int64_t":$streams,
                        DefaultValuedParameter<"int64_t", "0">:$ahead);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

//===- Buffers -------------------------------------------------------------------------------------===//

class Tile_Buffer<list<Type> elements, int rank, list<int> staticDims, string summary>
    : ConfinedType<MemRefRankOf<elements, [rank]>,
        [And<!foreach(dim, staticDims, CPred<"!::llvm::cast<::mlir::MemRefType>($_self).isDynamicDim(" #
                                             dim # ")">)>],
        summary, "::mlir::MemRefType">;

def Tile_Rows : Tile_Buffer<[F32], 2, [1], "memref [rows, width] of f32 with a static width">;
def Tile_Int8Rows : Tile_Buffer<[I8], 2, [1], "memref [rows, K] of i8 with a static K">;
def Tile_Scales : Tile_Buffer<[F32], 3, [1, 2], "memref [rows, 2, blocks] of f32">;
def Tile_Sums : Tile_Buffer<[I32], 2, [1], "memref [rows, sums] of i32">;
def Tile_Ids : Tile_Buffer<[I32], 1, [], "memref [rows] of i32">;
def Tile_Turns : Tile_Buffer<[I64], 1, [0], "memref<1xi64>">,
    BuildableType<"::mlir::MemRefType::get({1}, $_builder.getI64Type())">;
def Tile_Vector : Tile_Buffer<[F32], 1, [0], "memref [width] of f32 with a static width">;
def Tile_Panels : Tile_Buffer<[I8], 1, [0], "memref [bytes] of i8 with a static size: packed panels">;
def Tile_Choices : Tile_Buffer<[I32], 2, [1], "memref [rows, choices] of i32 with a static number of choices">;
def Tile_Partial : Tile_Buffer<[F32], 3, [1, 2], "memref [rows, choices, columns] of f32">;
def Tile_Parts : Tile_Buffer<[F32], 3, [0, 1, 2],
    "memref [segments, heads, head dim rounded up to 16, and 16] of f32 with a static shape">;
def Tile_Pool : Tile_Buffer<[F32, F16, BF16, I8], 1, [],
    "memref [elements] of f32, f16, bf16 or i8: the pool of KV pages">;
def Tile_PageTable : Tile_Buffer<[I32], 2, [], "memref [slots, pages] of i32">;

#endif
