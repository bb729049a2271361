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
    split over a team, and barriers where data crosses threads. The functions that hold these
    operations start with three arguments: the step (`!llvm.ptr` to a `moire_step` of
    runtime/Abi.h), this thread's number and the size of the team.
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
    I32EnumAttrCase<"Heads", 2, "heads">,    // by KV head
    I32EnumAttrCase<"Tiles", 3, "tiles">,    // by tile of query rows and KV head
    I32EnumAttrCase<"Whole", 4, "whole">]>;  // not: every thread does all of it, for itself

def Tile_Space : Tile_Enum<"Space", "Who sees a buffer", [
    I32EnumAttrCase<"Shared", 0, "shared">, I32EnumAttrCase<"Private", 1, "private">]>;

def Tile_Count : Tile_Enum<"Count", "A number of rows known when a step runs", [
    I32EnumAttrCase<"Tokens", 0, "tokens">, I32EnumAttrCase<"LogitRows", 1, "logit_rows">]>;

def Tile_Input : Tile_Enum<"Input", "A field of the step that points to data", [
    I32EnumAttrCase<"Tokens", 0, "tokens">, I32EnumAttrCase<"Slots", 1, "slots">,
    I32EnumAttrCase<"Positions", 2, "positions">, I32EnumAttrCase<"Rows", 3, "rows">,
    I32EnumAttrCase<"Logits", 4, "logits">, I32EnumAttrCase<"Kv", 5, "kv">,
    I32EnumAttrCase<"PageTable", 6, "page_table">, I32EnumAttrCase<"Taps", 7, "taps">]>;

def Tile_Format : Tile_Enum<"Format", "How a panel stores its weights (codegen/artifact/Packing.h)", [
    I32EnumAttrCase<"F32", 0, "f32">, I32EnumAttrCase<"F16", 1, "f16">,
    I32EnumAttrCase<"BF16", 2, "bf16">, I32EnumAttrCase<"Q4_0", 3, "q4_0">,
    I32EnumAttrCase<"Q4_1", 4, "q4_1">, I32EnumAttrCase<"Q8_0", 5, "q8_0">]>;

def Tile_Epilogue : Tile_Enum<"Epilogue", "What becomes of a product", [
    I32EnumAttrCase<"Store", 0, "store">,          // out = product
    I32EnumAttrCase<"Accumulate", 1, "accumulate">,// out += product (residual)
    I32EnumAttrCase<"GateSilu", 2, "gate_silu">]>; // out = silu(even panel) * odd panel

def Tile_Side : Tile_Enum<"Side", "Keys or values of a KV page", [
    I32EnumAttrCase<"Keys", 0, "keys">, I32EnumAttrCase<"Values", 1, "values">]>;

def Tile_KvLayoutAttr : AttrDef<Tile_Dialect, "KvLayout"> {
  let mnemonic = "kv";
  let summary = "How keys and values lie in a page";
  let description = [{
    A page holds `page` consecutive positions of one sequence for all layers:
    `[layer][KV head][keys | values]`, keys transposed as `[head_dim][page]` so that scores of
    neighbouring positions are one vector, values as `[page][head_dim rounded up to 16]`.
  }];
  let parameters = (ins "int64_t":$layers, "int64_t":$kv_heads, "int64_t":$head_dim,
                        "int64_t":$page, "::mlir::Type":$element);
  let assemblyFormat = "`<` struct(params) `>`";
  let extraClassDeclaration = [{
    int64_t getElementBytes() const { return getElement().getIntOrFloatBitWidth() / 8; }
    /// Elements of one row of values: the head dim, rounded up to whole vectors.
    int64_t getValueStride() const { return (getHeadDim() + 15) / 16 * 16; }
    int64_t getKeyElements() const { return getHeadDim() * getPage(); }
    /// Elements of one (layer, KV head).
    int64_t getHeadElements() const { return getKeyElements() + getPage() * getValueStride(); }
    int64_t getPageBytes() const {
      return getLayers() * getKvHeads() * getHeadElements() * getElementBytes();
    }
  }];
}

#endif
